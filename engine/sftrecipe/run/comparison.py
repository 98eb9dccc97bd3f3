"""The estimate of a run, held against what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sftrecipe.calls.usage import Usage
from sftrecipe.plan.estimate import NOTHING, Estimate


def compared(
    estimates: Sequence[Estimate], usage: Mapping[tuple[str, str], Usage]
) -> list[dict[str, Any]]:
    """Estimate and fact of every step that asks or was to ask; `usage` is by step and provider."""
    found = []
    for each in estimates:
        fact = {
            provider: asdict(used)
            for (step, provider), used in usage.items()
            if step == each.step.id
        }
        if fact or each.calls != NOTHING:
            found.append({"id": each.step.id, "estimate": each.facts(), "fact": fact})
    return found
