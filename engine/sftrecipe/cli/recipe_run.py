"""A recipe's run: what `run`, `train` and `evaluate` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from sftrecipe.cli.interrupts import run_interruptibly
from sftrecipe.cli.progress_display import show_progress
from sftrecipe.cli.recipe_options import Command, Option, out_option, output_folder, with_options
from sftrecipe.cli.shortages import warn_of_shortages
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.forecast.forecast import QUICK, forecast
from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, plan_recipe
from sftrecipe.recipe.language.sections import Reach
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.text.next_commands import next_commands
from sftrecipe.report.text.outcome_text import outcome_json, outcome_text
from sftrecipe.report.text.training_text import anew_text, elsewhere_text
from sftrecipe.run.models_elsewhere import models_elsewhere
from sftrecipe.run.output_folder import REPORT_FILE, RUN_FILE, OutputFolder
from sftrecipe.run.requirements import DataOnly, Lack, lacking, leaves_data
from sftrecipe.run.run_plan import Outcome, run_plan
from sftrecipe.run.trained_anew import trained_anew
from sftrecipe.store.project import Project, project_of

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
    quiet: bool
    as_json: bool


def run_options(command: Command) -> Command:
    """Add the options on how a recipe is executed; the command takes them as `options`."""
    return with_options(command, _RUN_OPTIONS, "options", RunOptions)


def run_recipe(recipe: CheckedRecipe, to: Reach | None, options: RunOptions) -> None:
    """Execute the recipe as far as asked, leave its report, print the outcome.

    Raises SftrecipeError.
    """
    _check_reach(recipe, to)
    project = project_of(recipe.path)
    plan = plan_recipe(recipe, project, to)
    out = output_folder(recipe, project, options.out)
    OutputFolder(out, recipe, take_over=options.take_over).check()
    beyond = _beyond_this_machine(plan, out) if to is None else []
    if beyond:
        plan = plan_recipe(recipe, project, "data")
    outcome = _run_reported(plan, project, out, options)
    if options.as_json or not options.quiet:
        _print_outcome(outcome, as_json=options.as_json, goes_on=not beyond)
    if beyond:
        raise DataOnly(plan, beyond)


def _run_reported(plan: Plan, project: Project, out: Path, options: RunOptions) -> Outcome:
    """Execute the plan and leave its report, also where it fails; what it came to."""
    estimates = [] if options.retry_failed else forecast(plan, project, out, QUICK)
    warn_of_shortages(plan, project, estimates)
    if not options.quiet:
        for each in trained_anew(plan, out):
            click.echo(anew_text(each), err=True)
        for block, model in models_elsewhere(plan, project, out):
            click.echo(elsewhere_text(block, model), err=True)
    with show_progress(options.quiet) as progress:
        running = run_plan(
            plan, project, out, progress, options.concurrency,
            retry_failed=options.retry_failed, take_over=options.take_over, estimates=estimates,
        )  # fmt: skip
        try:
            outcome = run_interruptibly(running)
        except SftrecipeError:
            write_report_or_warn(out, project)
            raise
        if outcome.fresh or not (out / REPORT_FILE).exists():
            write_report_or_warn(out, project)
    return outcome


def _print_outcome(outcome: Outcome, *, as_json: bool, goes_on: bool) -> None:
    """Print the outcome, and after a run that did something what a user does next."""
    click.echo(outcome_json(outcome) if as_json else outcome_text(outcome))
    if outcome.fresh and goes_on and not as_json:
        click.echo(next_commands(outcome), err=True)


def _beyond_this_machine(plan: Plan, out: Path) -> list[Lack]:
    """What trainings and judges lack here, where the data can be made all the same."""
    if all(step.reach == "data" for step in plan.steps):
        return []
    lacks = lacking(plan, out)
    return lacks if leaves_data(plan, lacks) else []


def _check_reach(recipe: CheckedRecipe, to: Reach | None) -> None:
    """Raises UsageError where the recipe does not go so far."""
    if to == "train" and not recipe.train:
        raise UsageError("nothing-to-train", name=recipe.name)
    if to == "evaluate" and not recipe.evaluate:
        raise UsageError("nothing-to-evaluate", name=recipe.name)


def write_report_or_warn(out: Path, project: Project) -> None:
    """Write the run's page. The data is there already, so a page that fails is only told."""
    from sftrecipe.report.pages.run.run_page import write_report  # noqa: PLC0415

    if not (out / RUN_FILE).exists():
        return  # it was refused before it began
    try:
        write_report(out, project)
    except Exception as error:
        click.echo(message("report-failed", {"error": error}), err=True)
