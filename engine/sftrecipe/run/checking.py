"""Checking a recipe's trainings alone, on data that a run has made."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.errors import UsageError
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.trainer import Finding
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.steps.export_step import files_stand, noted_data_sets
from sftrecipe.run.steps.train_step import TrainingTarget, findings
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project


def check_trainings(
    recipe: CheckedRecipe, project: Project, out: Path
) -> list[tuple[str, Finding]]:
    """What every training would fail on, or suffer from, by train block. Asks no model.

    Writes the trainers' configurations. Raises UsageError where there is nothing to train, or no
    data; SftrecipeError where a training cannot even be configured.
    """
    if not recipe.train:
        raise UsageError("nothing-to-train", name=recipe.name)
    folder = OutputFolder(out, recipe)
    folder.check()
    store = StepStore(project.steps)
    contents = StreamContents(store)
    data = {}
    for step in plan_recipe(recipe, project, "data").steps:
        stands = contents.stands(step)
        contents.advance(step)
        if step.block.section == "export" and stands:
            facts = store.facts(step.key)
            stands = files_stand(facts, out, store.hashes)
            data[step.id] = noted_data_sets(facts)
        if not stands:
            raise UsageError(
                "data-first", "run-data", name=recipe.name, step=step.id, path=recipe.in_commands
            )
    return list(findings(TrainingTarget(recipe, out, data, folder.create, folder.claim)))
