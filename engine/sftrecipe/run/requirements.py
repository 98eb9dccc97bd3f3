"""What a run needs before it begins: of this machine, and trainings of data and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.messages import own_text
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.base import MachineCheck
from sftrecipe.plugin.plugin_kinds import DataSet, Exporter
from sftrecipe.plugin.trainer import Finding
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.standing import standing_steps
from sftrecipe.run.steps.export_step import noted_data_sets
from sftrecipe.run.steps.section_steps import runner_of
from sftrecipe.run.steps.train_step import TrainingTarget, findings
from sftrecipe.store.project import Project


class Lack(NamedTuple):
    """Something that a step, or a provider that it asks, needs and this machine has not."""

    step: str
    missing: MachineCheck


def lacking(plan: Plan, out: Path) -> list[Lack]:
    """Everything that is missing, each once, with the first step that needs it."""
    standing = standing_steps(plan, out)
    found: dict[MachineCheck, Lack] = {}
    for step in plan.steps:
        if step.id in standing and not standing[step.id].cached:
            providers = [plan.recipe.providers[name] for name in step.block.asks.values()]
            for block in (step.block, *providers):
                for missing in block.plugin.missing():
                    found.setdefault(missing, Lack(step.id, missing))
    return list(found.values())


def refuse_lacking(plan: Plan, out: Path) -> None:
    """Raises UsageError where a step could not be executed, before any of them spends anything."""
    if lacks := lacking(plan, out):
        path = plan.recipe.in_commands
        hint = "advice-data" if leaves_data(plan, lacks) else "advice"
        raise UsageError("machine-lacks", hint, **_values(lacks), path=path)


def leaves_data(plan: Plan, lacks: list[Lack]) -> bool:
    """Whether the data can be made all the same: only trainings and judges lack something."""
    makes_data = {step.id for step in plan.steps if step.reach == "data"}
    return not any(each.step in makes_data for each in lacks)


class DataOnly(SftrecipeError):
    """The data is made, and what was asked beyond it is not, since the machine lacks something."""

    def __init__(self, plan: Plan, lacks: list[Lack]) -> None:
        super().__init__("data-only", "data-only", **_values(lacks), path=plan.recipe.in_commands)


def _values(lacks: list[Lack]) -> dict[str, tuple[str, ...]]:
    advice = dict.fromkeys(each.missing.advice or each.missing.found for each in lacks)
    told = (own_text("machine-lack", step=each.step, text=each.missing.found) for each in lacks)
    return {"lacks": tuple(told), "advice": tuple(advice)}


def check_trainings(
    recipe: CheckedRecipe, project: Project, out: Path
) -> list[tuple[str, Finding]]:
    """What every training would fail on, or suffer from, by train block. Asks no model.

    Writes the configurations of trainings whose data is made; of the others it checks what can be
    checked without. Raises UsageError where there is nothing to train, SftrecipeError where a
    training cannot even be configured.
    """
    if not recipe.train:
        raise UsageError("nothing-to-train", name=recipe.name)
    folder = OutputFolder(out, recipe)
    folder.check()
    plan = plan_recipe(recipe, project, "data")
    store, contents = plan.store, StreamContents(plan.store)
    data: dict[str, Sequence[DataSet]] = {}
    awaited: dict[str, Sequence[DataSet]] = {}
    for step in plan.steps:
        facts = store.facts(step.key) if contents.stands(step) else None
        contents.advance(step)
        exporter = step.block.plugin
        if not isinstance(exporter, Exporter):
            continue
        stands = facts is not None and runner_of(step).stands(facts, out, store.hashes)
        data[step.id] = noted_data_sets(facts) if facts is not None and stands else ()
        if not stands:
            named = exporter.writes(recipe.name)
            awaited[step.id] = named or (DataSet(step.id, (), 0, {}),)
    return list(findings(TrainingTarget(recipe, folder, data, awaited=awaited)))
