"""What the filters measured: histograms of kept and dropped rows, with the thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sftrecipe.report.pages.run.facts.block_facts import block_options
from sftrecipe.report.pages.run.facts.histogram import Histogram, histogram, thresholds
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.steps.step_files import verdict_file
from sftrecipe.store.arrow import compute, read_table

_MOST = 40
"""Histograms on one page."""


@dataclass(frozen=True)
class Score:
    """The values of one filter, or one named score of the result's rows."""

    name: str
    use: str
    """The filter's plugin; empty for a score that rows carry."""
    histogram: Histogram


def scores(opened: OpenedRun) -> list[Score]:
    """The values of every filter that measures, over all rows; then the rows' named scores."""
    found = [*_of_filters(opened), *_of_rows(opened)]
    return found[:_MOST]


def _of_filters(opened: OpenedRun) -> Iterator[Score]:
    for step in opened.steps:
        if not step.thins or step.id in opened.gone:
            continue
        kept, dropped = _values(opened, step)
        lost = np.concatenate([*dropped.values(), np.empty(0)])
        if len(kept) or len(lost):
            marks = thresholds(block_options(opened.document, step), kept, dropped)
            lines = list({mark.value: mark for mark in marks.values()}.values())
            yield Score(step.id, step.use, histogram(kept, lost, lines))


def _values(opened: OpenedRun, step: StepRecord) -> tuple[Any, dict[str, Any]]:
    """The values of kept rows, and of dropped ones by reason."""
    kept: list[Any] = [np.empty(0)]
    dropped: dict[str, list[Any]] = {}
    for place in range(len(step.reads)):
        kept_here, dropped_here = _in_file(opened.folder(step) / verdict_file(place))
        kept.append(kept_here)
        for reason, values in dropped_here.items():
            dropped.setdefault(reason, []).append(values)
    return np.concatenate(kept), {name: np.concatenate(each) for name, each in dropped.items()}


def _in_file(path: Path) -> tuple[Any, dict[str, Any]]:
    table = read_table(path, ["keep", "reason", "value"])
    table = table.filter(compute().is_valid(table["value"]))
    keep = table["keep"]
    kept = table.filter(keep)["value"].to_numpy()
    lost = table.filter(compute().invert(keep))
    by_reason = {
        reason: lost.filter(compute().equal(lost["reason"], reason))["value"].to_numpy()
        for reason in lost["reason"].unique().to_pylist()[:_MOST]
        if reason is not None
    }
    return kept, by_reason


def _of_rows(opened: OpenedRun) -> Iterator[Score]:
    """Scores that rows of the sample carry under other names than those of filters."""
    steps = {step.id for step in opened.steps}
    named: dict[str, list[float]] = {}
    for row in opened.sample:
        for name, value in row.scores.items():
            if name not in steps and isinstance(value, int | float):
                named.setdefault(name, []).append(value)
    for name, values in list(named.items())[:_MOST]:
        yield Score(name, "", histogram(values, []))
