"""Which steps are done, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sftrecipe.plan.contents import Contents
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.plugin_kinds import Exporter
from sftrecipe.store.artifacts import StepStore


class Standing(NamedTuple):
    """Whether a step's result is there."""

    cached: bool
    changed: tuple[str, ...] = ()
    """What changed since the run before: parts of its key; empty: it never ran, or was deleted."""


def standings(
    plan: Plan, store: StepStore, before: Mapping[str, Mapping[str, str]]
) -> dict[str, Standing]:
    """The standing of every step but the exports, by the step's id.

    `before` holds the parts of every step's key at the run before.
    """
    contents = Contents(store)
    standing = {}
    for step in plan.steps:
        if not isinstance(step.block.plugin, Exporter):
            standing[step.id] = _standing(step, store, contents, before.get(step.id))
            contents.follow(step)
    return standing


def changed_parts(step: Step, before: Mapping[str, str] | None) -> tuple[str, ...]:
    """Parts of the step's key that differ from the run before."""
    if before is None:
        return ()
    return tuple(name for name, value in step.parts.items() if before.get(name) != value)


def _standing(
    step: Step, store: StepStore, contents: Contents, before: Mapping[str, str] | None
) -> Standing:
    if contents.stands(step):
        return Standing(True)
    if store.has(step.key):
        return Standing(False, ("inputs",))
    return Standing(False, changed_parts(step, before))
