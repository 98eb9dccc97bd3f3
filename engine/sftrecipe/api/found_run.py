"""A run that a command names: by its folder, its recipe, or its name under `runs/`."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.errors import UsageError, unknown
from sftrecipe.recipe.reader.layers import compose
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.recipe import FROM_PYTHON
from sftrecipe.run.run_file import read_run
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.project import RUN_FILE, Project, project_around, project_of


def found_run(asked: str) -> tuple[Path, RunRecord]:
    """A run and its folder, named by that, by its recipe, or by its name under `runs/`.

    Raises UsageError where there is no run, RecipeError when a recipe cannot be read.
    """
    path = Path(asked)
    if path.is_file() and path.name == RUN_FILE:
        path = path.parent
    elif path.is_file():
        path = project_of(path).run_folder(_recipe_name(path))
        if not (path / RUN_FILE).is_file():
            raise UsageError("not-run-yet", "run-it", recipe=asked, folder=str(path))
    if record := read_run(path):
        return path, record
    runs = project_around().folder / "runs"
    if path.name == asked and (record := read_run(runs / asked)):
        return runs / asked, record
    known = sorted(file.parent.name for file in runs.glob(f"*/{RUN_FILE}"))
    hint = "run-names" if known else "run-recipe"
    raise UsageError.of(unknown("no-such-run", None, path.name, known, hint=hint, run=asked))


def _recipe_name(recipe: Path) -> str:
    """The name of a recipe, which need not be able to run any more."""
    name = compose(recipe, Roots(recipe, ()), profile=None, variables={}).root.get("name")
    return str(name.value) if name else ""


def project_of_run(out: Path, run: RunRecord) -> Project:
    """The project that a run belongs to: its recipe's, or that around its folder."""
    recipe = Path(run.recipe)
    is_there = recipe.exists() or (recipe.name == FROM_PYTHON and recipe.parent.exists())
    return project_of(recipe if run.recipe and is_there else out)
