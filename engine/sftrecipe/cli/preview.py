"""`sftrecipe preview`: a few rows of every step."""

from __future__ import annotations

from typing import Any

import click

from sftrecipe.cli.recipe_options import checked, recipe_options


@click.command()
@recipe_options
@click.option("-n", "count", type=click.IntRange(min=1), default=3, help="Rows of each step.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON lines.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def preview(count: int, as_json: bool, quiet: bool, **options: Any) -> None:
    """Make a few rows with every generate and filter block, and print them.

    Replies go into the ledger: a later run does not ask for them again. Nothing is exported.
    """
    from sftrecipe.cli.interrupts import run_interruptibly  # noqa: PLC0415
    from sftrecipe.cli.progress_display import shown  # noqa: PLC0415
    from sftrecipe.report.text.row_text import preview_json, preview_text  # noqa: PLC0415
    from sftrecipe.run.row_preview import preview_rows  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415

    recipe = checked(**options)
    with shown(quiet) as progress:
        made = run_interruptibly(preview_rows(recipe, project_of(recipe.path), count, progress))
    click.echo(preview_json(made) if as_json else preview_text(made))
