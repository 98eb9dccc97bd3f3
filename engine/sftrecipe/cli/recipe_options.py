"""The arguments that every command on a recipe takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sftrecipe.recipe.recipe import CheckedRecipe

_RECIPE = click.argument("recipe", type=click.Path(path_type=Path))
_OPTIONS: tuple[Callable[[Any], Any], ...] = (
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


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the recipe argument and its options to a command."""
    wrapped: Callable[..., Any] = _RECIPE(check_options(command))
    return wrapped


def check_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options alone, for a command that takes several recipes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def checked(  # noqa: PLR0917 - click passes them by name
    recipe: Path,
    profile: str | None,
    variables: tuple[str, ...],
    allow_paths: tuple[Path, ...],
    allow_keys: tuple[str, ...],
    allow: tuple[str, ...],
    *,
    keys_later: bool = False,
) -> CheckedRecipe:
    """The checked recipe that the options name; `keys_later`: its keys need not be set.

    Raises RecipeError with all its problems.
    """
    from sftrecipe.recipe.load import check_recipe  # noqa: PLC0415

    return check_recipe(
        recipe,
        profile=profile,
        variables=dict(pair(text, "--set") for text in variables),
        allow_paths=allow_paths,
        allow_keys=[pair(text, "--allow-key") for text in allow_keys],
        allow=allow,
        keys_later=keys_later,
    )


def pair(text: str, option: str) -> tuple[str, str]:
    """`NAME=VALUE` in two."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"{option} takes NAME=VALUE, not '{text}'")
    return name, value
