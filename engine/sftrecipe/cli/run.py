"""`sftrecipe run`: execute a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.cli.recipe_run import RunOptions, reach_option, run_options, run_recipe
from sftrecipe.recipe.language.sections import Reach


@click.command()
@recipe_options
@run_options
@reach_option
def run(recipe: Path, check: CheckOptions, options: RunOptions, to: Reach | None) -> None:
    """Make the data of a recipe; where it has `evaluate` blocks, also train and judge.

    What is done already is not done again: run it again after a stop, and it goes on.
    """
    run_recipe(checked_recipe(recipe, check), to, options)
