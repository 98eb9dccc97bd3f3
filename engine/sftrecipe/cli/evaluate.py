"""`sftrecipe evaluate`: make the data of a recipe, train on it, judge the models."""

from __future__ import annotations

from typing import Any

import click

from sftrecipe.cli.recipe_options import recipe_options
from sftrecipe.cli.running import checked_and_run, run_options


@click.command()
@recipe_options
@run_options
def evaluate(**options: Any) -> None:
    """Judge a recipe's models; what they need, data and training, is made where it is missing.

    Exit status 1 where a figure is worse than the recipe's `gate` asks.
    """
    checked_and_run(to="evaluate", **options)
