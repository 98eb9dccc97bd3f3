"""`sftrecipe plan`: what a run would do."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.cli.recipe_options import (
    CheckOptions,
    checked_recipe,
    out_option,
    output_folder,
    recipe_options,
)
from sftrecipe.cli.recipe_run import reach_option
from sftrecipe.cli.shortages import warn_of_shortages, warn_of_sweep_shortages
from sftrecipe.forecast.forecast import forecast
from sftrecipe.forecast.training_forecasts import planned_forecasts
from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.plan_text import plan_json, plan_text
from sftrecipe.report.text.problem_text import render
from sftrecipe.report.text.sweep_text import sweep_plan_facts, sweep_plan_text
from sftrecipe.report.text.training_forecast_text import forecast_text
from sftrecipe.report.text.training_text import anew_text, elsewhere_text
from sftrecipe.run.contexts import unheld_costs
from sftrecipe.run.models_elsewhere import models_elsewhere
from sftrecipe.run.requirements import lacking, leaves_data
from sftrecipe.run.trained_anew import trained_anew
from sftrecipe.store.project import Project, project_of
from sftrecipe.sweep.sweep_forecast import SweepPart, sweep_forecast


@click.command()
@recipe_options
@reach_option
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def plan(
    recipe: Path, check: CheckOptions, to: Reach | None, out: Path | None, as_json: bool
) -> int:
    """Print the steps of a recipe: cached or stale and why, calls, tokens, cost.

    Asks no model. Prompts are rendered and counted as far as their rows are there.
    Exit status 2 where a run would refuse the budget.
    """
    checked = checked_recipe(recipe, check, keys_later=True)
    if checked.warnings:
        click.echo(render(checked.warnings), err=True)
    project = project_of(checked.path)
    planned = plan_recipe(checked, project, to)
    target = output_folder(checked, project, out)
    estimates = forecast(planned, project, target)
    shortages = warn_of_shortages(planned, project, estimates)
    _warn_of_lacks(planned, target, to)
    unheld = unheld_costs(checked, [step.block for step in planned.steps])
    problems = [error.problem for _, error in unheld]
    if problems:
        click.echo(render(problems), err=True)
    parts = _sweep_parts(checked, project, target)
    anew = trained_anew(planned, target)
    for block, model in models_elsewhere(planned, project, target):
        click.echo(elsewhere_text(block, model), err=True)
    trainings = planned_forecasts(planned, target, estimates)
    if as_json:
        sweep = sweep_plan_facts(parts) if parts else None
        facts = plan_json(estimates, shortages, sweep, checked.warnings, anew, trainings=trainings)
        click.echo(facts)
    else:
        click.echo("\n".join([plan_text(estimates, checked.budget), *map(anew_text, anew)]))
        for block, foreseen in trainings.items():
            click.echo(forecast_text(block, foreseen, checked.in_commands))
        if checked.sweep:
            click.echo(sweep_plan_text(parts, checked.sweep))
    return 2 if problems else 0


def _sweep_parts(recipe: CheckedRecipe, project: Project, target: Path) -> list[SweepPart]:
    """What its sweep would do; nothing where it has none. Warns where its budget is too small."""
    if recipe.sweep is None:
        return []
    parts = sweep_forecast(recipe, project, target)
    warn_of_sweep_shortages(parts, recipe, project)
    return parts


def _warn_of_lacks(planned: Plan, target: Path, to: Reach | None) -> None:
    """Say on stderr what this machine lacks for the steps that are still to be executed."""
    lacks = lacking(planned, target)
    slug = "plan-lacks-data" if to is None and leaves_data(planned, lacks) else "plan-lacks"
    for step, missing in lacks:
        click.echo(message(slug, {"step": step, "missing": missing.found}), err=True)
        if missing.advice:
            click.echo(message("plan-lacks-advice", {"advice": missing.advice}), err=True)
