"""The rows of every step: what came in, what was kept, what was lost and why."""

from __future__ import annotations

from dataclasses import dataclass

from sftrecipe.messages import Text
from sftrecipe.plugin.data_notices import told_texts
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.run_record import StepRecord

_REASONS = 6
_BEHIND_DATA = ("train", "evaluate")
"""Sections that come after the data."""


@dataclass(frozen=True)
class StepRows:
    """One step's account."""

    id: str
    section: str
    use: str
    made: int
    kept: int
    rejected: int
    set_aside: int
    untagged: int
    """Rows that stay though the filter could not judge them."""
    reasons: dict[str, int]
    """The most frequent ones."""
    other_reasons: int
    """Reasons beside those."""
    counts: dict[str, int]
    told: list[Text]
    """What its plugin told of its data."""
    cached: bool
    seconds: float


def funnel(opened: OpenedRun) -> list[StepRows]:
    """Every step of the data that was done, in order."""
    return [_rows(step) for step in opened.steps if step.section not in _BEHIND_DATA]


def not_reached(opened: OpenedRun) -> list[str]:
    """The steps that a run which failed or paused did not come to."""
    done = {step.id for step in opened.steps}
    return [name for name in opened.run.planned if name not in done]


def _rows(step: StepRecord) -> StepRows:
    facts = step.facts
    reasons = sorted(facts.reasons.items(), key=lambda each: -each[1])
    return StepRows(
        id=step.id,
        section=step.section,
        use=step.use,
        made=facts.made,
        kept=facts.kept,
        rejected=facts.rejected,
        set_aside=facts.set_aside,
        untagged=sum(facts.untagged.values()),
        reasons=dict(reasons[:_REASONS]),
        other_reasons=len(reasons[_REASONS:]),
        counts=dict(list(facts.counts.items())[:_REASONS]),
        told=list(told_texts(facts.told)),
        cached=step.cached,
        seconds=facts.seconds,
    )
