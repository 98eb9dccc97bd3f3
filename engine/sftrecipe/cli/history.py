"""`sftrecipe history`: the runs of a project, and what changed from one to the next."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.errors import UsageError, unknown
from sftrecipe.messages import message
from sftrecipe.report.text.history_text import history_json, history_text
from sftrecipe.run.run_history import HistoryEntry, damaged_entries
from sftrecipe.run.run_history import history as kept_history
from sftrecipe.store.project import project_around, project_of


@click.command()
@click.argument("recipe", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def history(recipe: str | None, as_json: bool) -> None:
    """List the runs of a project, and what changed from one to the next.

    RECIPE is a recipe's file or its name; all recipes' runs where it is left out. `sftrecipe diff`
    takes the ids, or beginnings of them.
    """
    path = Path(recipe) if recipe else None
    project = project_of(path) if path and path.is_file() else project_around()
    entries = kept_history(project)
    if damaged := damaged_entries(project, entries):
        names = {"count": len(damaged), "first": damaged[0], "folder": project.history}
        click.echo(message("history-damaged", names), err=True)
    asked = entries if recipe is None else _of_recipe(entries, recipe)
    click.echo((history_json if as_json else history_text)(entries, asked, project))


def _of_recipe(entries: list[HistoryEntry], recipe: str) -> list[HistoryEntry]:
    """The runs of a recipe. Raises UsageError where there are none."""
    path = Path(recipe)
    found = [
        entry
        for entry in entries
        if entry.head.name == recipe
        or (path.exists() and _is_told_as(path.resolve(), Path(entry.head.recipe)))
    ]
    if not found:
        names = sorted({entry.head.name for entry in entries})
        raise UsageError.of(unknown("history-no-recipe", None, recipe, names, recipe=recipe))
    return found


def _is_told_as(recipe: Path, told: Path) -> bool:
    """Whether a run told of this recipe, perhaps by its path from another place."""
    if told.resolve() == recipe:
        return True
    return not told.is_absolute() and recipe.parts[-len(told.parts) :] == told.parts
