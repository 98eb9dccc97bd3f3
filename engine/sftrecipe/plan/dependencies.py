"""Which steps a step waits for: those that made or thinned last what it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sftrecipe.plan.steps import Step


class Dependencies(NamedTuple):
    """Of one step, other steps by id."""

    reads: Mapping[str, str]
    """By stream that it reads, the step that made or thinned it last."""
    others: frozenset[str]
    """Those whose results it needs besides: streams that its options name, exports, trainings."""

    def all(self) -> frozenset[str]:
        """Every step that must be done before, or give its rows."""
        return self.others.union(self.reads.values())


def dependencies(steps: Sequence[Step]) -> dict[str, Dependencies]:
    """The dependencies of a plan's steps, by id."""
    last: dict[str, str] = {}
    found = {}
    for step in steps:
        reads = {name: last[name] for name in step.reads}
        named = {last[name] for name in step.named}
        found[step.id] = Dependencies(reads, frozenset(named.union(step.after)))
        last |= dict.fromkeys((*step.makes, *step.thins), step.id)
    return found
