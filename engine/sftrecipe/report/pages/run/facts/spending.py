"""Calls, tokens, money and time of every step, and the estimate beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sftrecipe.calls.usage import Usage, summed
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun

_ESTIMATED: Mapping[str, str] = {"calls": "asked", "tokens": "tokens", "cost": "cost"}
"""The names of an estimate's facts in `run.json`."""
_COUNTED = frozenset(each.name for each in fields(Usage))


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
    foreseen = {each["id"]: each for each in opened.run.get("estimate") or ()}
    found = []
    for step in opened.steps:
        used = [_usage(each) for each in step["calls"].values()]
        estimate = foreseen.get(step["id"], {}).get("estimate", {})
        told = {name: estimate[key] for name, key in _ESTIMATED.items() if key in estimate}
        usage = asdict(summed(used)) if used else {}
        found.append(StepSpending(step["id"], step["seconds"], step["cached"], usage, told))
    return found


def total_spending(opened: OpenedRun) -> dict[str, Any]:
    """What this run spent in all."""
    return dict(opened.run.get("usage") or {})


def _usage(found: Mapping[str, Any]) -> Usage:
    return Usage(**{name: value for name, value in found.items() if name in _COUNTED})
