"""Figures of several models on the same rows: each one's, and by how much the first is above."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sftrecipe.plugin import Judgement
from sftrecipe_registry.judges.confidence_interval import (
    SHARE,
    Estimate,
    estimates,
    metric_names,
    named_metrics,
)
from sftrecipe_registry.judges.judged_rows import (
    INVALID_SHARE,
    JudgedRow,
    figure_parts,
    invalid_counts,
    invalid_share,
)
from sftrecipe_registry.judges.mean_interval import Span
from sftrecipe_registry.judges.share_interval import share_difference_reach, share_reach

Spans = Mapping[str, Span]
"""What a row's value can be, by measure."""


def figure(model: str, measure: str) -> str:
    """The name of a model's figure."""
    return f"{model}_{measure}"


def difference(first: str, other: str, measure: str) -> str:
    """The name of what the first model has more than another."""
    return f"{first}_minus_{other}_{measure}"


def figure_names(models: Sequence[str], measures: Iterable[str]) -> list[str]:
    """All figures of the models, and the differences of the first from the others."""
    first = models[0]
    return [
        name
        for measure in measures
        for name in (
            *(figure(model, measure) for model in models),
            *(difference(first, other, measure) for other in models[1:]),
        )
    ]


def model_estimates(
    judged: Sequence[JudgedRow], models: Sequence[str], measures: Spans
) -> dict[str, Estimate]:
    """The figures with their intervals, on the rows that could be judged; after each measure of the
    models what the first one has more of it."""
    first = models[0]
    spans: dict[str, Span] = {}
    differences: dict[str, tuple[str, str]] = {}
    for measure, span in measures.items():
        spans |= {figure(model, measure): span for model in models}
        differences |= {
            difference(first, other, measure): (figure(first, measure), figure(other, measure))
            for other in models[1:]
        }
    figures = {name: figure_parts(judged, name) for name in spans}
    found = estimates(figures, differences, spans)
    return {name: found[name] for name in figure_names(models, measures) if name in found}


def model_judgement(
    judged: Sequence[JudgedRow],
    found: Mapping[str, Estimate],
    models: Sequence[str],
    measures: Collection[str],
) -> Judgement:
    """The figures as metrics, `judged`, `invalid` and its share beside them, and as tables by
    measure and model: [value, low, high]."""
    first = models[0]
    invalid = invalid_counts(judged)
    lost = sum(invalid.values())
    differences = {
        measure: _table(found, {other: difference(first, other, measure) for other in models[1:]})
        for measure in measures
    }
    counts = {"judged": float(len(judged) - lost), "invalid": float(lost)}
    notes = {
        "models": list(models),
        "judged": len(judged) - lost,
        "invalid": invalid,
        "figures": {
            measure: _table(found, {model: figure(model, measure) for model in models})
            for measure in measures
        },
        "differences": {measure: table for measure, table in differences.items() if table},
    }
    metrics = {**named_metrics(found), **counts, **named_metrics(invalid_share(judged))}
    return Judgement(metrics, [each.row for each in judged], notes)


def model_metrics(models: Sequence[str], measures: Iterable[str]) -> frozenset[str]:
    """The names of the metrics that `model_judgement` gives."""
    figures = [*figure_names(models, measures), INVALID_SHARE]
    return metric_names(figures) | {"judged", "invalid"}


def model_ranges(models: Sequence[str], measures: Spans) -> dict[str, tuple[float, float]]:
    """What those metrics can be."""
    first = models[0]
    ranges: dict[str, tuple[float, float]] = {
        figure(model, measure): span for measure, span in measures.items() for model in models
    }
    for measure, (least, most) in measures.items():
        between = (least - most, most - least)
        ranges |= {difference(first, other, measure): between for other in models[1:]}
    counts = dict.fromkeys(("judged", "invalid"), (0.0, float("inf")))
    return {**ranges, **counts, INVALID_SHARE: SHARE}


def model_reach(
    models: Sequence[str], shares: Iterable[str], rows: int
) -> dict[str, tuple[float, float]]:
    """How far so many rows let the intervals of shares come, and the rows themselves."""
    first = models[0]
    alone, between = share_reach(rows), share_difference_reach(rows)
    found = dict.fromkeys(("judged", "invalid"), (float(rows), 0.0))
    for share in shares:
        found |= {figure(model, share): alone for model in models}
        found |= {difference(first, other, share): between for other in models[1:]}
    return found


def _table(found: Mapping[str, Estimate], names: Mapping[str, str]) -> dict[str, list[float]]:
    return {model: list(found[name]) for model, name in names.items() if name in found}
