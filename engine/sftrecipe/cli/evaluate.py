"""`sftrecipe evaluate`: make the data of a recipe, train on it, judge the models."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.cli.recipe_run import RunOptions, run_options, run_recipe


@click.command()
@recipe_options
@run_options
def evaluate(recipe: Path, check: CheckOptions, options: RunOptions) -> None:
    """Judge a recipe's models; what they need, data and training, is made where it is missing.

    Exit status 1 where a figure is worse than the recipe's `gate` asks.
    """
    run_recipe(checked_recipe(recipe, check), "evaluate", options)
