"""Judges' figures of two runs, and the interval of their difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, isfinite

from sftrecipe.report.comparison.compared_side import ComparedSide
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.text.text_format import Figure, figures
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.sweep.judged_rows import Values
from sftrecipe.sweep.statistics import compared
from sftrecipe.sweep.sweep_run import figure_values


@dataclass(frozen=True)
class JudgedChange:
    """One figure of a judge, before and now."""

    step: str
    name: str
    was: float
    now: float
    low: float | None = None
    """The interval of now minus before; None: the judge tells none."""
    high: float | None = None
    paired: bool = False
    """Whether the same questions were judged, and the difference is of them, one by one."""
    rows: int = 0
    """Questions that both judged."""
    lost: int = 0
    """Questions that only one of them judged."""
    difference: float = 0.0
    """Now minus before; of pairs, on the questions that both judged."""


def judged_changes(was: ComparedSide, now: ComparedSide) -> list[JudgedChange]:
    """The figures that are others now; a judge that found the same is not told."""
    if was.opened is None or now.opened is None:
        return []
    before = {step.id: step for step in was.opened.steps if step.section == "evaluate"}
    return [
        change
        for step in now.opened.steps
        if step.section == "evaluate" and (old := before.get(step.id))
        for change in _of_step(was.opened, old, now.opened, step)
    ]


def _of_step(
    was: OpenedRun, old: StepRecord, now: OpenedRun, new: StepRecord
) -> Iterator[JudgedChange]:
    known = {figure.name: figure for figure in figures(old.facts.metrics)}
    for figure in figures(new.facts.metrics):
        earlier = known.get(figure.name)
        if earlier is None or not (isfinite(earlier.value) and isfinite(figure.value)):
            continue
        if earlier == figure and old.key == new.key:
            continue
        values = _row_values(was, old, figure.name), _row_values(now, new, figure.name)
        change = _paired(new.id, earlier, figure, *values) or _unpaired(new.id, earlier, figure)
        if change.was != change.now or change.difference:
            yield change


def _row_values(opened: OpenedRun, step: StepRecord, figure: str) -> Values:
    path = opened.folder(step) / ROWS
    if step.id in (*opened.gone, *opened.replaced) or not path.exists():
        return {}
    return dict(figure_values(path, figure))


def _paired(
    step: str, was: Figure, now: Figure, before: Values, after: Values
) -> JudgedChange | None:
    """Compared question by question; None where they share too few."""
    if not before or not after:
        return None
    found = compared({"was": [before], "now": [after]}, "higher", seed=0)
    if found is None:
        return None
    behind = found.variants["now" if found.best == "was" else "was"].behind
    ends = (behind.low, behind.high) if found.best == "was" else (-behind.high, -behind.low)
    difference = behind.value if found.best == "was" else -behind.value
    return JudgedChange(
        *(step, now.name, was.value, now.value), *ends,
        paired=True, rows=found.rows, lost=found.lost, difference=difference,
    )  # fmt: skip


def _unpaired(step: str, was: Figure, now: Figure) -> JudgedChange:
    """As of two judgings that have nothing to do with each other."""
    gap = now.value - was.value
    low = high = None
    if None not in (was.low, was.high, now.low, now.high):
        low = gap - hypot(now.value - (now.low or 0), (was.high or 0) - was.value)
        high = gap + hypot((now.high or 0) - now.value, was.value - (was.low or 0))
    return JudgedChange(step, now.name, was.value, now.value, low, high, difference=gap)
