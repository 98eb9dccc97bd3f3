"""`sftrecipe run`: execute a recipe."""

from __future__ import annotations

from typing import Any

import click

from sftrecipe.cli.recipe_options import recipe_options
from sftrecipe.cli.running import checked_and_run, reach_option, run_options


@click.command()
@recipe_options
@run_options
@reach_option
def run(**options: Any) -> None:
    """Make the data of a recipe; where it has `evaluate` blocks, also train and judge.

    What is done already is not done again: run it again after a stop, and it goes on.
    """
    checked_and_run(**options)
