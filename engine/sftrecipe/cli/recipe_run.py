"""A recipe's run: what `run`, `train` and `evaluate` share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from sftrecipe.api.interrupts import run_interruptibly
from sftrecipe.api.prepared_run import RunTerms, prepared_run
from sftrecipe.api.progress_display import show_progress
from sftrecipe.cli.error_display import show_error
from sftrecipe.cli.recipe_options import Command, Option, out_option, with_options
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.next_commands import next_commands
from sftrecipe.report.text.outcome_text import outcome_json, outcome_text
from sftrecipe.run.run_plan import Outcome

_RUN_OPTIONS: tuple[Option, ...] = (
    out_option,
    click.option(
        "--concurrency", type=click.IntRange(min=1), help="Calls in flight, for every model."
    ),
    click.option("--retry-failed", is_flag=True, help="Ask again for rows whose calls failed."),
    click.option(
        "--take-over",
        is_flag=True,
        help="Replace what another recipe, or nobody's run, left in the output folder.",
    ),
    click.option(
        "--locked",
        is_flag=True,
        help="Hold the run to the recipe's lock: refuse what drifted, fail on other data.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
    click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON."),
)

reach_option = click.option(
    "--to",
    type=click.Choice(["data", "train", "evaluate"]),
    help="How far; by default until models are judged, where the recipe has `evaluate`, "
    "else until the data is made.",
)


@dataclass(frozen=True)
class RunOptions:
    """How a recipe is executed."""

    out: Path | None
    concurrency: int | None
    retry_failed: bool
    take_over: bool
    locked: bool
    quiet: bool
    as_json: bool

    def terms(self, to: Reach | None) -> RunTerms:
        """The same as far as `to`, without what is printed."""
        return RunTerms(
            self.out, to, self.concurrency, self.retry_failed, self.take_over, self.locked
        )


def run_options(command: Command) -> Command:
    """Add the options on how a recipe is executed; the command takes them as `options`."""
    return with_options(command, _RUN_OPTIONS, "options", RunOptions)


def run_recipe(recipe: CheckedRecipe, to: Reach | None, options: RunOptions) -> None:
    """Execute the recipe as far as asked, leave its report, print the outcome.

    Raises SftrecipeError.
    """
    prepared = prepared_run(recipe, options.terms(to))
    for notice in prepared.notices:
        if notice.warns or not options.quiet:
            show_error(notice.text)
    with show_progress(options.quiet) as progress:
        outcome = prepared.execute(progress, run_interruptibly, partial(click.echo, err=True))
    if options.as_json or not options.quiet:
        _print_outcome(outcome, as_json=options.as_json, goes_on=not prepared.beyond)
    prepared.conclude(partial(click.echo, err=True))


def _print_outcome(outcome: Outcome, *, as_json: bool, goes_on: bool) -> None:
    """Print the outcome, and after a run that did something what a user does next."""
    click.echo(outcome_json(outcome) if as_json else outcome_text(outcome))
    if outcome.fresh and goes_on and not as_json:
        click.echo(next_commands(outcome), err=True)
