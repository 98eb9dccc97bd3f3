"""`sftrecipe train`: make the data of a recipe, then train on it."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import click

from sftrecipe.api.training_check import checked_training
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.cli.recipe_run import RunOptions, run_options, run_recipe
from sftrecipe.messages import message
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.training_forecast_text import forecast_entry, forecast_text
from sftrecipe.run.steps.train_step import finding_text


@click.command()
@recipe_options
@run_options
@click.option(
    "--check", "check_only", is_flag=True, help="Only check data and arguments; train nothing."
)
@click.option("--probe", is_flag=True, help="With --check: try a few steps, for time and memory.")
def train(
    recipe: Path, check: CheckOptions, options: RunOptions, check_only: bool, probe: bool
) -> int:
    """Make the data of a recipe and train on it; what is done already is not done again.

    `--check` tells what the training would fail on, or suffer from; before the data is made, what
    can be told without it. Its exit status is 1 where the training would be refused. With `--probe`
    five real steps measure how long it will take and how much memory.
    """
    if check_only:
        return _check(checked_recipe(recipe, check, keys_later=True), options, probe=probe)
    if probe:
        raise click.UsageError(message("probe-without-check", {}))
    run_recipe(checked_recipe(recipe, check), "train", options)
    return 0


def _check(recipe: CheckedRecipe, options: RunOptions, *, probe: bool) -> int:
    """Print the findings; the exit status."""
    say = partial(click.echo, err=True)
    check = checked_training(recipe, options.out, probe=asyncio.run if probe else None, say=say)
    if options.as_json:
        facts = [{"train": block, **finding._asdict()} for block, finding in check.findings]
        foreseen = check.forecasts.items()
        facts += [{"train": block, **forecast_entry(each)} for block, each in foreseen]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    elif not options.quiet:
        for block, finding in check.findings:
            click.echo(finding_text(block, finding))
        for block, forecast in check.forecasts.items():
            click.echo(forecast_text(block, forecast, recipe.in_commands))
        warnings = len(check.findings) - check.faults
        click.echo(message("check-outcome", {"faults": check.faults, "warnings": warnings}))
    return 1 if check.faults else 0
