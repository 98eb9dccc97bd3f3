"""`sftrecipe validate`: every mistake of a recipe, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sftrecipe.cli.recipe_options import check_options, checked, pair

if TYPE_CHECKING:
    from sftrecipe.errors import Problem


@click.command()
@click.argument("recipes", nargs=-1, required=True, type=click.Path(path_type=Path))
@check_options
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def validate(  # noqa: PLR0917 - click passes them by name
    recipes: tuple[Path, ...],
    profile: str | None,
    variables: tuple[str, ...],
    allow_paths: tuple[Path, ...],
    allow_keys: tuple[str, ...],
    allow: tuple[str, ...],
    as_json: bool,
) -> int:
    """Check recipes: all their mistakes at once, without a call or a network.

    Every profile is checked, or the one that --profile names.
    """
    from sftrecipe.errors import RecipeError, is_wrong  # noqa: PLC0415
    from sftrecipe.recipe.load import profile_problems  # noqa: PLC0415

    found: dict[Path, list[Problem]] = {}
    for recipe in recipes:
        problems: list[Problem] = []
        try:
            found_well = checked(
                recipe, profile, variables, allow_paths, allow_keys, allow, keys_later=True
            )
            problems += found_well.warnings
        except RecipeError as error:
            problems += error.problems
        if profile is None:
            set_here = dict(pair(text, "--set") for text in variables)
            others = profile_problems(
                recipe, variables=set_here, allow_paths=allow_paths, allow=allow
            )
            problems = [*others, *problems]  # told once, without the profile if it needs none
        found[recipe] = RecipeError(problems).problems
    (_print_json if as_json else _print_text)(found)
    return 2 if any(map(is_wrong, found.values())) else 0


def _print_text(found: dict[Path, list[Problem]]) -> None:
    from sftrecipe.report.text.problem_text import render  # noqa: PLC0415

    for recipe, problems in found.items():
        if problems:
            click.echo(render(problems), err=True)
        errors = sum(problem.severity == "error" for problem in problems)
        click.echo(f"{recipe}: {errors or 'ok'}{_noun(errors)}")


def _noun(count: int) -> str:
    from sftrecipe.messages import user_language  # noqa: PLC0415

    if not count:
        return ""
    if user_language() == "zh":
        return " 个错误"
    return " error" if count == 1 else " errors"


def _print_json(found: dict[Path, list[Problem]]) -> None:
    import json  # noqa: PLC0415

    from sftrecipe.errors import is_wrong  # noqa: PLC0415

    facts = [
        {
            "recipe": str(recipe),
            "ok": not is_wrong(problems),
            "problems": [problem.as_json() for problem in problems],
        }
        for recipe, problems in found.items()
    ]
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
