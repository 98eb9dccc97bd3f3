"""What this machine lacks for what a run has still to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.plan.steps import Plan
from sftrecipe.plugin.base import MachineCheck
from sftrecipe.run.standing import standing_steps
from sftrecipe.store.project import Project


class Lack(NamedTuple):
    """Something that a step, or a provider that it asks, needs and this machine has not."""

    step: str
    missing: MachineCheck


def lacking(plan: Plan, project: Project, out: Path) -> list[Lack]:
    """Everything that is missing, each once, with the first step that needs it."""
    standing = standing_steps(plan, project, out)
    found: dict[MachineCheck, Lack] = {}
    for step in plan.steps:
        if step.id in standing and not standing[step.id].cached:
            providers = [plan.recipe.providers[name] for name in step.block.asks.values()]
            for block in (step.block, *providers):
                for missing in block.plugin.missing():
                    found.setdefault(missing, Lack(step.id, missing))
    return list(found.values())


def refuse_lacking(plan: Plan, project: Project, out: Path) -> None:
    """Raises UsageError where a step could not be executed, before any of them spends anything."""
    if lacks := lacking(plan, project, out):
        path = plan.recipe.in_commands
        hint = "advice-data" if leaves_data(plan, lacks) else "advice"
        raise UsageError("machine-lacks", hint, **_values(lacks), path=path)


def leaves_data(plan: Plan, lacks: list[Lack]) -> bool:
    """Whether the data can be made all the same: only trainings and judges lack something."""
    behind = {step.id for step in plan.steps if step.block.section in ("train", "evaluate")}
    return all(each.step in behind for each in lacks)


class DataOnly(SftrecipeError):
    """The data is made, and what was asked beyond it is not, since the machine lacks something."""

    def __init__(self, plan: Plan, lacks: list[Lack]) -> None:
        super().__init__("data-only", "data-only", **_values(lacks), path=plan.recipe.in_commands)


def _values(lacks: list[Lack]) -> dict[str, str]:
    told = dict.fromkeys(each.missing.advice or each.missing.found for each in lacks)
    return {"lacks": "; ".join(_told(lacks)), "advice": "; ".join(told)}


def _told(lacks: list[Lack]) -> Iterator[str]:
    for each in lacks:
        yield f"{each.step}: {each.missing.found}"
