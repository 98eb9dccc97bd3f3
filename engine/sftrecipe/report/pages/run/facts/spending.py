"""Calls, tokens, money and time of every step, and the estimate beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sftrecipe.calls.usage import Usage, summed
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.run_record import EstimateAndFact


@dataclass(frozen=True)
class StepSpending:
    """What one step asked, as it was made; seconds of its own."""

    id: str
    seconds: float
    cached: bool
    """Whether an earlier run had done it: then nothing was spent this time."""
    usage: dict[str, Any] = field(default_factory=dict)
    foreseen: dict[str, Any] = field(default_factory=dict)
    """`calls`, `tokens` (least, most) and `cost` by currency, where there was an estimate."""


def spending(opened: OpenedRun) -> list[StepSpending]:
    """The steps, in order."""
    foreseen = {each.id: _amounts(each) for each in opened.run.estimate}
    found = []
    for step in opened.steps:
        used = [Usage.from_json(each) for each in step.facts.calls.values()]
        usage = asdict(summed(used)) if used else {}
        told = foreseen.get(step.id, {})
        found.append(StepSpending(step.id, step.facts.seconds, step.cached, usage, told))
    return found


def total_spending(opened: OpenedRun) -> dict[str, Any]:
    """What this run spent in all."""
    return asdict(opened.run.usage) if opened.run.usage else {}


def _amounts(estimate: EstimateAndFact) -> dict[str, Any]:
    return {"calls": estimate.asked, "tokens": estimate.tokens, "cost": estimate.cost}
