"""The arguments that commands on a recipe take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sftrecipe.api.recipe_terms import RecipeTerms
from sftrecipe.recipe.recipe import CheckedRecipe

Command = Callable[..., Any]
Option = Callable[[Any], Any]

_RECIPE = click.argument("recipe", type=click.Path(path_type=Path))
_CHECK_OPTIONS: tuple[Option, ...] = (
    click.option("--profile", metavar="NAME", help="One of the recipe's profiles."),
    click.option("--set", "variables", multiple=True, metavar="VAR=VALUE", help="Set a variable."),
    click.option(
        "--allow-path",
        "allow_paths",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Let the recipe read this folder outside its own.",
    ),
    click.option(
        "--allow-key",
        "allow_keys",
        multiple=True,
        metavar="NAME=HOST",
        help="Let the environment variable be sent to the host, now and later.",
    ),
    click.option(
        "--allow",
        "allow",
        multiple=True,
        metavar="WORD",
        help="Let this recipe do what its errors name by this word, now and later.",
    ),
)

out_option = click.option(
    "--out", type=click.Path(path_type=Path), help="Output folder; runs/NAME by default."
)


@dataclass(frozen=True)
class CheckOptions:
    """How a recipe is checked."""

    profile: str | None
    variables: tuple[str, ...]
    allow_paths: tuple[Path, ...]
    allow_keys: tuple[str, ...]
    allow: tuple[str, ...]

    def terms(self, recipe: Path) -> RecipeTerms:
        """A recipe on these terms. Raises UsageError."""
        return RecipeTerms(
            recipe,
            profile=self.profile,
            variables=dict(_name_and_value(text, "--set") for text in self.variables),
            allow_paths=self.allow_paths,
            allow_keys=tuple(_name_and_value(text, "--allow-key") for text in self.allow_keys),
            allow=self.allow,
        )


def recipe_options(command: Command) -> Command:
    """Add the recipe's path, and the options on how it is checked."""
    wrapped: Command = _RECIPE(check_options(command))
    return wrapped


def check_options(command: Command) -> Command:
    """Add the options on how a recipe is checked; the command takes them as `check`."""
    return with_options(command, _CHECK_OPTIONS, "check", CheckOptions)


def with_options(
    command: Command, options: tuple[Option, ...], name: str, kind: type[Any]
) -> Command:
    """The command with the options, which it takes as one value of a dataclass, by that name."""

    @wraps(command)
    def wrapped(**values: Any) -> Any:
        taken = {field.name: values.pop(field.name) for field in fields(kind)}
        return command(**values, **{name: kind(**taken)})

    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def checked_recipe(recipe: Path, check: CheckOptions, *, keys_later: bool = False) -> CheckedRecipe:
    """The recipe, checked; `keys_later`: its keys need not be set.

    Raises RecipeError with all its problems.
    """
    return check.terms(recipe).checked(keys_later=keys_later)


def _name_and_value(text: str, option: str) -> tuple[str, str]:
    """`NAME=VALUE` in two. Raises UsageError."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"{option} takes NAME=VALUE, not '{text}'")
    return name, value
