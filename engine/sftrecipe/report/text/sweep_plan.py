"""What a sweep would do, as a table and as plain facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sftrecipe.messages import message, word
from sftrecipe.plan.estimate import costs, likely_facts, likely_tokens, total
from sftrecipe.recipe.recipe import Sweep
from sftrecipe.report.text.amounts import likely_text
from sftrecipe.report.text.plan_text import all_asks, asked_cost, likely_calls, unpriced
from sftrecipe.report.text.table import aligned
from sftrecipe.sweep.sweep_forecast import SweepPart

_HEAD = ("variant", "steps-to-do", "trainings", "calls", "tokens", "cost")


def sweep_plan_text(parts: Sequence[SweepPart], sweep: Sweep) -> str:
    """A line for what variants share, one a variant for what it adds, and the sum."""
    trainings = sum(len(variant.trainings) for variant in sweep.variants)
    title = message("plan-sweep", {"variants": len(sweep.variants), "trainings": trainings})
    whole = SweepPart(None, [each for part in parts for each in part.estimates])
    lines = [
        *(_cells(part.variant or word("shared"), part) for part in parts),
        _cells(word("total"), whole),
    ]
    return "\n".join([title, aligned([[word(name) for name in _HEAD], *lines])])


def sweep_plan_facts(parts: Sequence[SweepPart]) -> list[dict[str, Any]]:
    """The same as plain data; variant None: what several share."""
    return [
        {
            "variant": part.variant,
            "steps": [each.step.id for each in part.estimates],
            "trainings": part.trainings,
            "calls": total([each.calls for each in part.estimates]),
            "tokens": total([each.tokens for each in part.estimates]),
            "cost": costs(all_asks(part.estimates)),
            "likely": likely_facts(all_asks(part.estimates)),
            "unpriced": unpriced(all_asks(part.estimates)),
        }
        for part in parts
    ]


def _cells(name: str, part: SweepPart) -> list[str]:
    asks, calls = all_asks(part.estimates), likely_calls(part.estimates)
    return [
        name,
        str(len(part.estimates)),
        str(part.trainings),
        likely_text(calls, total([each.calls for each in part.estimates])),
        likely_text(likely_tokens(asks), total([each.tokens for each in part.estimates])),
        asked_cost(asks),
    ]
