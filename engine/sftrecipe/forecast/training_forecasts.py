"""What the trainings of a plan will take, as their trainers foresee it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sftrecipe.errors import SftrecipeError
from sftrecipe.forecast.forecast import QUICK, forecast
from sftrecipe.messages import error_text
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.plugin.plugin_kinds import DataSet, Exporter, PluginRefused
from sftrecipe.plugin.trainer import Training, TrainingForecast
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.run_file import run_before
from sftrecipe.run.steps.export_step import noted_data_sets
from sftrecipe.run.steps.train_step import TrainingTarget, trainer_of, trainings
from sftrecipe.run.written_blocks import written_block
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project
from sftrecipe.store.work_lock import run_at_work


def planned_forecasts(
    plan: Plan, out: Path, estimates: Sequence[Estimate]
) -> dict[str, TrainingForecast]:
    """By train block, of those that are still to be done."""
    of_step = {each.step.id: each for each in estimates}
    wanted = {
        step.id: _rows([of_step[name] for name in step.block.inputs if name in of_step])
        for step in plan.steps
        if step.block.section == "train" and not _is_done(of_step.get(step.id))
    }
    if not wanted:
        return {}
    return target_forecasts(_target(plan, out), wanted)


async def probed_forecasts(
    recipe: CheckedRecipe, project: Project, out: Path, say: Callable[[str], None]
) -> dict[str, TrainingForecast]:
    """The same by a few real steps of every training, into folders that are then removed.

    Raises SftrecipeError where one fails.
    """
    plan, found = plan_recipe(recipe, project, "train"), {}
    target = _target(plan, out)
    project.state.mkdir(parents=True, exist_ok=True)
    for block, training in foreseen_trainings(
        target, dict.fromkeys(each.id for each in recipe.train)
    ):
        with (
            run_at_work(project.work_lock),
            TemporaryDirectory(prefix="probe-", dir=project.state) as folder,
        ):
            try:
                told = await trainer_of(block).probe(replace(training, say=say), Path(folder))
            except PluginRefused as refusal:
                error = error_text(refusal)
                raise SftrecipeError("step-refused", step=block.id, error=error) from refusal
        if told:
            found[block.id] = told
    return found


def checked_forecasts(
    recipe: CheckedRecipe, project: Project, out: Path
) -> dict[str, TrainingForecast]:
    """The same after the trainings were checked, whose trainers then know more."""
    plan = plan_recipe(recipe, project, "train")
    return planned_forecasts(plan, out, forecast(plan, project, out, QUICK))


def target_forecasts(
    target: TrainingTarget, rows: Mapping[str, int | None]
) -> dict[str, TrainingForecast]:
    """Of the train blocks that `rows` names, with the rows that they will likely have."""
    found = {}
    for block, training in foreseen_trainings(target, rows):
        try:
            told = trainer_of(block).forecast(training)
        except PluginRefused:  # why it cannot be configured is told where it would be
            continue
        if told:
            found[block.id] = told
    return found


def foreseen_trainings(
    target: TrainingTarget, rows: Mapping[str, int | None]
) -> Iterator[tuple[Block, Training]]:
    """The trainings of the blocks that `rows` names, with what is known of them beside."""
    run = run_before(target.folder.folder)
    before = {
        step.id: step.facts.model.metrics for step in run.steps if step.facts.model is not None
    }
    for block, training in trainings(target):
        if block.id not in rows:
            continue
        known = before.get(block.id, {})
        changed = _changed(block.id, run.document, target.recipe.document) if known else frozenset()
        yield block, replace(training, rows=rows[block.id], before=known, changed=changed)


def _changed(block: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> frozenset[str]:
    """The training arguments of a block that differ, and `use` where that does."""
    old, new = (written_block(each, "train", block) for each in (before, now))
    old, new = ({"use": each.get("use"), **(each.get("with") or {})} for each in (old, new))
    return frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))


def _target(plan: Plan, out: Path) -> TrainingTarget:
    """Where its trainings take place, with the data sets that lie there."""
    data = {
        step.id: _written(plan.store, step.key, out)
        for step in plan.steps
        if isinstance(step.block.plugin, Exporter)
    }
    return TrainingTarget(plan.recipe, OutputFolder(out, plan.recipe), data)


def _is_done(estimate: Estimate | None) -> bool:
    return bool(estimate and estimate.standing and estimate.standing.cached)


def _rows(exports: Sequence[Estimate]) -> int | None:
    """The rows of a training's exports together; None where one is not known."""
    likely = [
        each.rows[1] if each.expected_rows is None else each.expected_rows for each in exports
    ]
    known = [rows for rows in likely if rows is not None]
    return sum(known) if known and len(known) == len(likely) else None


def _written(store: StepStore, key: str, out: Path) -> list[DataSet]:
    """The data sets of an export, where its files lie there."""
    found = noted_data_sets(store.facts(key)) if store.has(key) else []
    return [each for each in found if all((out / file).is_file() for file in each.files)]
