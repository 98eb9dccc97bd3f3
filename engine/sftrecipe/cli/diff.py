"""`sftrecipe diff`: what changed between two runs, recipes, locks or git revisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sftrecipe.cli.recipe_options import CheckOptions, check_options, checked_recipe
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.comparison.named_sides import NamedSides
from sftrecipe.report.comparison.run_difference import RunDifference, run_difference


@click.command()
@click.argument("sides", nargs=-1, metavar="[A] [B]")
@check_options
@click.option(
    "--samples",
    type=click.IntRange(min=0, max=1000),
    default=3,
    show_default=True,
    metavar="N",
    help="Rows of each kind and stream that are shown.",
)
@click.option("--markdown", is_flag=True, help="Print a comment for a pull request.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to this file."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Of the comment or page.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything differs.")
@click.pass_context
def diff(
    ctx: click.Context,
    sides: tuple[str, ...],
    check: CheckOptions,
    *,
    samples: int,
    markdown: bool,
    html: Path | None,
    lang: str | None,
    as_json: bool,
    exit_code: bool,
) -> None:
    """Tell what changed between two runs, recipes or locks: options, steps, rows, figures.

    A and B are each a run (an id of `sftrecipe history` or its beginning, `last`, `last~1`, an
    output folder), a recipe, a lock, or a file of a git revision (`HEAD~1:recipes/medical.yaml`).
    One alone is compared with the last run; without any, the last two runs are compared.
    """
    if len(sides) > 2:
        raise click.UsageError(f"two sides at most, not {len(sides)}", ctx)
    found = _difference(sides, check, samples)
    click.echo(_told(found, markdown=markdown, html=html, lang=lang, as_json=as_json))
    ctx.exit(1 if exit_code and not found.is_empty else 0)


def _difference(words: tuple[str, ...], options: CheckOptions, samples: int) -> RunDifference:
    def check(path: Path, profile: str | None) -> CheckedRecipe:
        return checked_recipe(path, replace(options, profile=profile), keys_later=True)

    with TemporaryDirectory(prefix="sftrecipe-diff-") as scratch:
        variables = options.terms(Path(scratch)).variables
        named = NamedSides(
            Path(scratch), options.profile, variables, options.allow_paths, check, words
        )
        return run_difference(*named.sides(), samples)


def _told(
    found: RunDifference, *, markdown: bool, html: Path | None, lang: str | None, as_json: bool
) -> str:
    if html is not None:
        from sftrecipe.report.pages.difference_page import write_difference_page  # noqa: PLC0415

        write_difference_page(found, html, lang)
        return str(html)
    if as_json:
        return found.as_json()
    if markdown:
        from sftrecipe.report.text.difference_markdown import difference_markdown  # noqa: PLC0415

        return difference_markdown(found, lang)
    from sftrecipe.report.text.difference_text import difference_text  # noqa: PLC0415

    return difference_text(found)
