"""The run that a user means: by its folder, by its recipe, or by its name under `runs/`."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.errors import UsageError, unknown
from sftrecipe.recipe.reader.layers import compose
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.run.output_folder import RUN_FILE
from sftrecipe.run.run_file import read_run
from sftrecipe.store.project import project_of


def found_run(asked: str) -> Path:
    """The run's folder.

    Raises UsageError where there is no run, RecipeError when a recipe cannot be read.
    """
    path = Path(asked)
    if path.is_file() and path.name == RUN_FILE:
        path = path.parent
    elif path.is_file():
        path = project_of(path).run_folder(_recipe_name(path))
    if read_run(path):
        return path
    runs = project_of(Path.cwd() / "recipe").folder / "runs"
    if path.name == asked and read_run(runs / asked):
        return runs / asked
    known = sorted(file.parent.name for file in runs.glob(f"*/{RUN_FILE}"))
    hint = "run-names" if known else "run-recipe"
    raise UsageError.of(unknown("no-such-run", None, path.name, known, hint=hint, run=asked))


def _recipe_name(recipe: Path) -> str:
    """The name of a recipe, which need not be able to run any more."""
    name = compose(recipe, Roots(recipe, ()), profile=None, variables={}).root.get("name")
    return str(name.value) if name else ""
