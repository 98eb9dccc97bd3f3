"""`sftrecipe lock`: what decides a recipe's data, and what came of it, in a file for git."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from sftrecipe.cli.error_display import show_problems
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.errors import UsageError
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.lock_text import (
    check_json,
    check_problems,
    check_text,
    written_json,
    written_text,
)
from sftrecipe.run.recipe_lock.held_lock import (
    earlier_lock,
    held_lock,
    lock_command,
    named_lock,
    renewed,
    updated,
    write_beside,
)
from sftrecipe.run.recipe_lock.lock_drift import check_lock
from sftrecipe.run.recipe_lock.lock_reader import SUFFIX
from sftrecipe.run.recipe_lock.locked_facts import current_lock
from sftrecipe.store.project import project_of


@click.command()
@recipe_options
@click.option("--check", "is_check", is_flag=True, help="Tell what drifted (exit 2).")
@click.option("--update", "name", metavar="NAME", help="Renew one entry and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def lock(recipe: Path, check: CheckOptions, is_check: bool, name: str | None, as_json: bool) -> int:
    """Write NAME.lock beside a recipe: versions, files, models, prices, what the data was.

    Nothing is asked and nothing made: data is what the last finished run of the same steps in this
    project left. Commit it: `lock --check` tells in CI what drifted, `run --locked` refuses then.
    A profile has a lock of its own, NAME.PROFILE.lock. RECIPE may be a lock: its recipe is meant,
    with the profile and the variables that it was locked with.
    """
    if is_check and name is not None:
        raise click.UsageError("--check writes nothing: leave out --update")
    checked = checked_recipe(*_terms(recipe, check), keys_later=True)
    if is_check:
        return _check(checked, as_json=as_json)
    _write(checked, name, as_json=as_json)
    return 0


def _terms(named: Path, check: CheckOptions) -> tuple[Path, CheckOptions]:
    """The recipe that is meant and how it is checked; of a lock, as it was locked unless the
    command says otherwise. Raises RecipeError."""
    if named.suffix != SUFFIX:
        return named, check
    lock = named_lock(named)
    locked = tuple(f"{name}={value}" for name, value in lock.set_variables.items())
    return named.with_name(lock.recipe), replace(
        check, profile=check.profile or lock.profile, variables=check.variables or locked
    )


def _check(recipe: CheckedRecipe, *, as_json: bool) -> int:
    found = check_lock(held_lock(recipe), current_lock(recipe, project_of(recipe.path)))
    if as_json:
        click.echo(check_json(found))
    else:
        if problems := check_problems(found, lock_command(recipe)):
            show_problems(problems)
        click.echo(check_text(found))
    return UsageError.exit_status if found.drift else 0


def _write(recipe: CheckedRecipe, name: str | None, *, as_json: bool) -> None:
    """Raises RecipeError where the file beside the recipe is not to be replaced."""
    earlier, told = (held_lock(recipe), []) if name is not None else earlier_lock(recipe)
    if told:
        show_problems(told)
    now = current_lock(recipe, project_of(recipe.path))
    if name is None or earlier is None:
        made = renewed(earlier, now)
    else:
        made = updated(earlier, now, name, f"sftrecipe run {recipe.in_commands}")
    path, written = write_beside(recipe, made)
    click.echo((written_json if as_json else written_text)(path, made, written=written))
