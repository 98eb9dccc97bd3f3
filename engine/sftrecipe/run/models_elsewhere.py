"""Models of another output folder of the project that a plan would train once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.kept_models import KeptModel, kept_models
from sftrecipe.run.project_runs import project_runs
from sftrecipe.run.standing import standing_steps
from sftrecipe.store.project import Project


def models_elsewhere(plan: Plan, project: Project, out: Path) -> Iterator[tuple[str, KeptModel]]:
    """By train block: one of the same settings and data, where the output folder has none."""
    steps = [step for step in plan.steps if step.block.section == "train"]
    if not steps:
        return
    standing, here = standing_steps(plan, out), list(kept_models(out))
    lacking = [
        step
        for step in steps
        if not standing[step.id].cached and not any(_is_of(step, each) for each in here)
    ]
    if not lacking:
        return
    others = [run.out for run in project_runs(project) if run.out != out.resolve()]
    for step in lacking:
        equal = (each for run in others for each in kept_models(run) if _is_of(step, each))
        if found := next((each for each in equal if each.note.done), None):
            yield step.id, found


def _is_of(step: Step, kept: KeptModel) -> bool:
    return kept.note.made_by.get("parts") == dict(step.parts)
