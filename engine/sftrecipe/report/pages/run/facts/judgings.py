"""What the judges found: figures with their intervals, counts, gates, and judged rows.

Only the contract of judges is relied on, so that a judge of somebody else's is told as well:
`NAME_low` and `NAME_high` are the interval of `NAME`; `MODEL_NAME` is a figure of a model that it
asked, `MODEL_minus_OTHER_NAME` of two; a note that maps names to whole numbers is a count; the
rows' scores are named as the figures that are their means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sftrecipe.messages import Text
from sftrecipe.report.pages.run.facts.lineages import Lineage, told_rows
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.text.gate_lines import spoiled_limits, unmeasured_limits
from sftrecipe.report.text.text_format import Figure, few_rows, figures
from sftrecipe.run.gate_results import GateResult
from sftrecipe.run.missed_gates import gate_text
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store.rows import read_rows, rows_at

_SHOWN = 3
"""Judged rows from each end."""
_PARTS = 12


@dataclass(frozen=True)
class FigureChart:
    """Figures that are drawn on one scale."""

    title: str
    bars: list[Figure]
    """Named in it after their model, or their measure."""
    colours: list[int]
    marks: dict[str, float]
    """Bounds of gates."""


@dataclass(frozen=True)
class JudgedRows:
    """Some of the judged rows."""

    score: str
    """The figure by which they are ordered; empty where the rows have none."""
    highest: list[Lineage]
    lowest: list[Lineage]
    without: list[Lineage]
    """Rows without that score: they could not be judged."""


@dataclass(frozen=True)
class Judging:
    """One `evaluate` block."""

    id: str
    use: str
    cached: bool
    on: list[str]
    rows: int
    few: int | None
    """The rows with a verdict, where they are few for an interval."""
    models: list[str]
    charts: list[FigureChart]
    numbers: list[Figure]
    """Figures without an interval."""
    counts: dict[str, dict[str, int]]
    gates: list[tuple[bool, Text]]
    """Whether each is passed, and what it says."""
    warnings: list[Text]
    """Figures that spoil the judging, where no gate says so."""
    unmeasured: list[Text]
    judged: JudgedRows


def judgings(opened: OpenedRun) -> list[Judging]:
    """The judgings that were done, in order."""
    return [_judging(opened, step) for step in opened.steps if step.section == "evaluate"]


def _judging(opened: OpenedRun, step: StepRecord) -> Judging:
    facts, gates, limits = step.facts, list(step.gates), list(step.limits)
    held = [*gates, *(each for each in limits if each not in gates)]
    nothing = {each.metric for each in limits if not each.value}
    notes = facts.judgement.as_json() if facts.judgement else {}
    found, models = figures(facts.metrics), _models(notes, facts.calls)
    drawn = [each for each in found if each.low is not None and each.name not in nothing]
    return Judging(
        id=step.id,
        use=step.use,
        cached=step.cached,
        on=list(step.reads),
        rows=facts.made,
        few=few_rows(facts.made, facts.metrics),
        models=models,
        charts=list(_charts(drawn, models, held)),
        numbers=[each for each in found if each.low is None],
        counts=dict(_counts(notes)),
        gates=[(each.passed, gate_text(each)) for each in gates],
        warnings=list(spoiled_limits([each for each in limits if each not in gates])),
        unmeasured=list(unmeasured_limits(limits)),
        judged=_judged_rows(opened, step, [each.name for each in found]),
    )


def _models(notes: Mapping[str, Any], asked: Iterable[str]) -> list[str]:
    """The models that figures may be named after: those that the judge names, or asked."""
    named = notes.get("models")
    listed = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return list(dict.fromkeys([*listed, *asked]))


def _charts(
    found: Sequence[Figure], models: Sequence[str], gates: Sequence[GateResult]
) -> Iterator[FigureChart]:
    """A chart for each measure of several models, for each pair of models, for each other one."""
    grouped: dict[str, list[tuple[Figure, int]]] = {}
    names: dict[str, set[str]] = {}
    for figure in found:
        title, name, colour = _place(figure.name, models)
        grouped.setdefault(title, []).append((replace(figure, name=name), colour))
        names.setdefault(title, set()).add(figure.name)
    for title, bars in grouped.items():
        marks = dict(_marks([gate for gate in gates if gate.metric in names[title]]))
        yield FigureChart(title, [bar for bar, _ in bars], [colour for _, colour in bars], marks)


def _marks(gates: Sequence[GateResult]) -> Iterator[tuple[str, float]]:
    for gate in gates:
        for sign, bound in (("≥", gate.at_least), ("≤", gate.at_most)):
            if bound is not None:
                yield f"{gate.metric} {sign} {bound:g}", float(bound)


def _place(figure: str, models: Sequence[str]) -> tuple[str, str, int]:
    """The chart that a figure stands in, its name there, and its colour."""
    for place, model in enumerate(models):
        for other in models:
            pair = f"{model}_minus_{other}_"
            if figure.startswith(pair):
                return f"{model} − {other}", figure.removeprefix(pair), 5
        if figure.startswith(f"{model}_"):
            return figure.removeprefix(f"{model}_"), model, place
    return figure, figure, 0


def _counts(notes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, int]]]:
    """Notes that map names to whole numbers, those that are all zero left out."""
    for name, note in notes.items():
        counts = note.values() if isinstance(note, dict) else ()
        if any(counts) and all(isinstance(each, int) and each >= 0 for each in counts):
            yield name, dict(list(note.items())[:_PARTS])


def _judged_rows(opened: OpenedRun, step: StepRecord, names: Sequence[str]) -> JudgedRows:
    path = opened.folder(step) / ROWS
    if step.id in opened.gone or not path.exists():
        return JudgedRows("", [], [], [])
    scores = [row.scores for row in read_rows(path)]
    score = next((name for name in names if any(name in each for each in scores)), "")
    valued = [place for place, each in enumerate(scores) if score in each]
    ordered = sorted(valued, key=lambda place: scores[place][score])
    lowest = ordered[:_SHOWN]
    highest = ordered[len(lowest) :][-_SHOWN:][::-1]
    others = [place for place, each in enumerate(scores) if score not in each][:_SHOWN]
    shown = sorted((*highest, *lowest, *others))
    told = dict(zip(shown, told_rows(opened, opened.scrub(rows_at(path, shown))), strict=True))
    return JudgedRows(
        score, *([told[place] for place in each] for each in (highest, lowest, others))
    )
