"""Which steps stand: done, unchanged, and with what they left still there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sftrecipe.plan.staleness import Standing, standings
from sftrecipe.plan.steps import Plan
from sftrecipe.run.run_file import run_before
from sftrecipe.run.steps.train_step import model_stands
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project


def standing_steps(plan: Plan, project: Project, out: Path) -> dict[str, Standing]:
    """The standing of every step but the exports, by the step's id; a training whose model is no
    longer in the output folder does not stand."""
    store = StepStore(project.steps)
    standing = standings(plan, store, run_before(out).parts)
    return standing | _without_models(plan, store, standing, out)


def _without_models(
    plan: Plan, store: StepStore, standing: Mapping[str, Standing], out: Path
) -> dict[str, Standing]:
    """Trainings that will be repeated: their model is no longer in the output folder."""
    return {
        step.id: Standing(False)
        for step in plan.steps
        if step.block.section == "train"
        and standing[step.id].cached
        and not model_stands(store.facts(step.key), out)
    }
