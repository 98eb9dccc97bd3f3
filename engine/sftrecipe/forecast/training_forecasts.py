"""What the trainings of a plan will take, as their trainers foresee it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sftrecipe.forecast.forecast import QUICK, forecast
from sftrecipe.plan.estimate import Estimate
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.plugin.plugin_kinds import DataSet, Exporter
from sftrecipe.plugin.trainer import TrainingForecast
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.run_file import run_before
from sftrecipe.run.steps.export_step import noted_data_sets
from sftrecipe.run.steps.train_step import TrainingTarget, trainer_of, trainings
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project


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
    data = {
        step.id: _written(plan.store, step.key, out)
        for step in plan.steps
        if isinstance(step.block.plugin, Exporter)
    }
    target = TrainingTarget(plan.recipe, OutputFolder(out, plan.recipe), data)
    return target_forecasts(target, wanted)


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
    before = figures_before(target.folder.folder)
    found = {}
    for block, training in trainings(target):
        if block.id not in rows:
            continue
        known = replace(training, rows=rows[block.id], before=before.get(block.id, {}))
        if told := trainer_of(block).forecast(known):
            found[block.id] = told
    return found


def figures_before(out: Path) -> dict[str, Mapping[str, float]]:
    """What the trainings of the last run came to, by block."""
    steps = run_before(out).steps
    return {step.id: step.facts.model.metrics for step in steps if step.facts.model is not None}


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
