"""`sftrecipe preview`: a few rows of every step."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.api.interrupts import run_interruptibly
from sftrecipe.api.previewed_rows import previewed_rows
from sftrecipe.api.progress_display import show_progress
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.report.text.row_text import preview_json


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
        made = previewed_rows(checked, count, progress, run_interruptibly)
    click.echo(preview_json(made.preview) if as_json else str(made))
