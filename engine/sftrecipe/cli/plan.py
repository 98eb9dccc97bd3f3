"""`sftrecipe plan`: what a run would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sftrecipe.cli.recipe_options import checked, recipe_options


@click.command()
@recipe_options
@click.option("--out", type=click.Path(path_type=Path), help="Output folder; runs/NAME by default.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def plan(out: Path | None, as_json: bool, **options: Any) -> None:
    """Print the steps of a recipe: cached or stale and why, calls, tokens, cost.

    Asks no model.
    """
    from sftrecipe.report.plan_table import plan_json, plan_text  # noqa: PLC0415
    from sftrecipe.run.forecast import forecast  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415

    recipe = checked(**options)
    project = project_of(recipe.path)
    target = (out or project.run_folder(recipe.name)).resolve()
    estimates = forecast(recipe, project, target)
    click.echo(plan_json(estimates) if as_json else plan_text(estimates, recipe.budget))
