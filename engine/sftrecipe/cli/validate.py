"""`sftrecipe validate`: every mistake of a recipe, before anything is spent."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sftrecipe.cli.error_display import show_problems
from sftrecipe.cli.recipe_options import CheckOptions, check_options
from sftrecipe.errors import Problem, is_wrong
from sftrecipe.messages import user_language


@click.command()
@click.argument("recipes", nargs=-1, required=True, type=click.Path(path_type=Path))
@check_options
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def validate(recipes: tuple[Path, ...], check: CheckOptions, as_json: bool) -> int:
    """Check recipes: all their mistakes at once, without a call or a network.

    Every profile is checked, or the one that --profile names.
    """
    found = {recipe: check.terms(recipe).problems() for recipe in recipes}
    (_print_json if as_json else _print_text)(found)
    return 2 if any(map(is_wrong, found.values())) else 0


def _print_text(found: dict[Path, list[Problem]]) -> None:
    for recipe, problems in found.items():
        if problems:
            show_problems(problems)
        errors = sum(problem.severity == "error" for problem in problems)
        click.echo(f"{recipe}: {errors or 'ok'}{_noun(errors)}")


def _noun(count: int) -> str:
    if not count:
        return ""
    if user_language() == "zh":
        return " 个错误"
    return " error" if count == 1 else " errors"


def _print_json(found: dict[Path, list[Problem]]) -> None:
    facts = [
        {
            "recipe": str(recipe),
            "ok": not is_wrong(problems),
            "problems": [problem.as_json() for problem in problems],
        }
        for recipe, problems in found.items()
    ]
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
