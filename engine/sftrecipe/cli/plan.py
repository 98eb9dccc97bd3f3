"""`sftrecipe plan`: what a run would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sftrecipe.cli.recipe_options import checked, recipe_options
from sftrecipe.cli.running import output_folder, reach_option

if TYPE_CHECKING:
    from sftrecipe.plan.steps import Plan
    from sftrecipe.recipe.language.sections import Reach
    from sftrecipe.recipe.recipe import CheckedRecipe
    from sftrecipe.store.project import Project
    from sftrecipe.sweep.sweep_forecast import SweepPart


@click.command()
@recipe_options
@reach_option
@click.option("--out", type=click.Path(path_type=Path), help="Output folder; runs/NAME by default.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def plan(to: Reach | None, out: Path | None, as_json: bool, **options: Any) -> int:
    """Print the steps of a recipe: cached or stale and why, calls, tokens, cost.

    Asks no model. Prompts are rendered and counted as far as their rows are there.
    Exit status 2 where a run would refuse the budget.
    """
    from sftrecipe.cli.shortages import warn_of_shortages  # noqa: PLC0415
    from sftrecipe.forecast.forecast import forecast  # noqa: PLC0415
    from sftrecipe.plan.steps import plan_recipe  # noqa: PLC0415
    from sftrecipe.report.text.plan_text import plan_json, plan_text  # noqa: PLC0415
    from sftrecipe.report.text.problem_text import render  # noqa: PLC0415
    from sftrecipe.report.text.sweep_plan import sweep_plan_facts, sweep_plan_text  # noqa: PLC0415
    from sftrecipe.run.contexts import unheld_costs  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415

    recipe = checked(**options, keys_later=True)
    if recipe.warnings:
        click.echo(render(recipe.warnings), err=True)
    project = project_of(recipe.path)
    planned = plan_recipe(recipe, project, to)
    target = output_folder(recipe, project, out)
    estimates = forecast(planned, project, target)
    shortages = warn_of_shortages(planned, project, estimates)
    _warn_of_lacks(planned, target, to)
    unheld = unheld_costs(recipe, [step.block for step in planned.steps])
    problems = [error.problem for _, error in unheld]
    if problems:
        click.echo(render(problems), err=True)
    parts = _sweep_parts(recipe, project, target)
    if as_json:
        sweep = sweep_plan_facts(parts) if parts else None
        click.echo(plan_json(estimates, shortages, sweep, recipe.warnings))
    else:
        click.echo(plan_text(estimates, recipe.budget))
        if recipe.sweep:
            click.echo(sweep_plan_text(parts, recipe.sweep))
    return 2 if problems else 0


def _sweep_parts(recipe: CheckedRecipe, project: Project, target: Path) -> list[SweepPart]:
    """What its sweep would do; nothing where it has none. Warns where its budget is too small."""
    from sftrecipe.cli.shortages import warn_of_sweep_shortages  # noqa: PLC0415
    from sftrecipe.sweep.sweep_forecast import sweep_forecast  # noqa: PLC0415

    if recipe.sweep is None:
        return []
    parts = sweep_forecast(recipe, project, target)
    warn_of_sweep_shortages(parts, recipe, project)
    return parts


def _warn_of_lacks(planned: Plan, target: Path, to: Reach | None) -> None:
    """Say on stderr what this machine lacks for the steps that are still to be executed."""
    from sftrecipe.messages import message  # noqa: PLC0415
    from sftrecipe.run.requirements import lacking, leaves_data  # noqa: PLC0415

    lacks = lacking(planned, target)
    slug = "plan-lacks-data" if to is None and leaves_data(planned, lacks) else "plan-lacks"
    for step, missing in lacks:
        click.echo(message(slug, {"step": step, "missing": missing.found}), err=True)
        if missing.advice:
            click.echo(message("plan-lacks-advice", {"advice": missing.advice}), err=True)
