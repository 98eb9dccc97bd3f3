"""`sftrecipe plan`: what a run would do."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.api.planned_run import PlannedRun, planned_run
from sftrecipe.cli.error_display import show_error
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, out_option, recipe_options
from sftrecipe.cli.recipe_run import reach_option
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.report.text.plan_text import plan_json
from sftrecipe.report.text.sweep_text import sweep_plan_facts


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
    planned = planned_run(checked_recipe(recipe, check, keys_later=True), to, out)
    for warning in planned.warnings():
        show_error(warning)
    click.echo(_plan_json(planned) if as_json else str(planned))
    return 2 if planned.unheld else 0


def _plan_json(planned: PlannedRun) -> str:
    return plan_json(
        planned.estimates,
        planned.shortages,
        sweep_plan_facts(planned.sweep) if planned.sweep else None,
        planned.recipe.warnings,
        planned.anew,
        trainings=planned.trainings,
    )
