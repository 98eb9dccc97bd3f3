"""What a run needs before it begins: of this machine, and trainings of data and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.messages import own_text
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.base import MachineCheck
from sftrecipe.plugin.plugin_kinds import DataSet, Exporter, PluginRefused
from sftrecipe.plugin.trainer import Finding
from sftrecipe.recipe.recipe import Block, CheckedRecipe
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


class Need(NamedTuple):
    """A plugin that a step takes: its own, or a provider that it asks."""

    step: str
    block: Block


def needs(plan: Plan, out: Path) -> list[Need]:
    """What the steps take that are still to be executed."""
    standing = standing_steps(plan, out)
    found = []
    for step in plan.steps:
        if step.id in standing and not standing[step.id].cached:
            providers = [plan.recipe.providers[name] for name in step.block.asks.values()]
            found += [Need(step.id, block) for block in (step.block, *providers)]
    return found


def lacking(plan: Plan, out: Path) -> list[Lack]:
    """Everything that is missing, each once, with the first step that needs it."""
    return _lacks(needs(plan, out))


def _lacks(needed: Sequence[Need]) -> list[Lack]:
    found: dict[MachineCheck, Lack] = {}
    for step, block in needed:
        for missing in block.plugin.missing():
            found.setdefault(missing, Lack(step, missing))
    return list(found.values())


def prepare(plan: Plan, out: Path, say: Callable[[str], None]) -> None:
    """Bring what the steps need and this machine can get by itself, before any spends anything.

    Raises UsageError where a step could not be executed, and where something cannot be fetched.
    """
    needed = needs(plan, out)
    if lacks := _lacks(needed):
        path = plan.recipe.in_commands
        hint = "advice-data" if leaves_data(plan, lacks) else "advice"
        raise UsageError("machine-lacks", hint, **_values(lacks), path=path)
    fetch(needed, say)


def fetch(needed: Iterable[Need], say: Callable[[str], None]) -> None:
    """Let each plugin bring what it can. Raises UsageError."""
    for step, block in needed:
        try:
            block.plugin.fetch(say)
        except PluginRefused as refusal:
            values = {"step": step, "use": block.use, "error": refusal}
            raise UsageError("not-fetched", "not-fetched", **values) from refusal


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
