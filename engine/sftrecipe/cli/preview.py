"""`sftrecipe preview`: a few rows of every step."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.cli.interrupts import run_interruptibly
from sftrecipe.cli.progress_display import show_progress
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.report.text.row_text import preview_json, preview_text
from sftrecipe.run.row_preview import preview_rows
from sftrecipe.store.project import project_of


@click.command()
@recipe_options
@click.option("-n", "count", type=click.IntRange(min=1), default=3, help="Rows of each step.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON lines.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def preview(recipe: Path, check: CheckOptions, count: int, as_json: bool, quiet: bool) -> None:
    """Make a few rows with every generate and filter block, and print them.

    Replies go into the ledger: a later run does not ask for them again. Nothing is exported.
    """
    checked = checked_recipe(recipe, check)
    with show_progress(quiet) as progress:
        made = run_interruptibly(preview_rows(checked, project_of(checked.path), count, progress))
    click.echo(preview_json(made) if as_json else preview_text(made))
