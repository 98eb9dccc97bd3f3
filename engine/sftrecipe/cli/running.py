"""Executing a recipe: what `run`, `train` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sftrecipe.plan.steps import Plan
    from sftrecipe.recipe.language.sections import Reach
    from sftrecipe.recipe.recipe import CheckedRecipe
    from sftrecipe.run.requirements import Lack
    from sftrecipe.run.run_plan import Outcome
    from sftrecipe.store.project import Project

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--out", type=click.Path(path_type=Path), help="Output folder; runs/NAME by default."
    ),
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


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that execute a recipe."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def checked_and_run(
    *,
    to: Reach | None,
    out: Path | None,
    concurrency: int | None,
    retry_failed: bool,
    take_over: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Execute the recipe that the options name as far as asked, leave its report, print the
    outcome.

    Raises RecipeError, SftrecipeError.
    """
    from sftrecipe.cli.interrupts import run_interruptibly  # noqa: PLC0415
    from sftrecipe.cli.progress_display import shown  # noqa: PLC0415
    from sftrecipe.cli.recipe_options import checked  # noqa: PLC0415
    from sftrecipe.cli.shortages import warn_of_shortages  # noqa: PLC0415
    from sftrecipe.errors import SftrecipeError  # noqa: PLC0415
    from sftrecipe.forecast.forecast import QUICK, forecast  # noqa: PLC0415
    from sftrecipe.plan.steps import plan_recipe  # noqa: PLC0415
    from sftrecipe.run.output_folder import REPORT_FILE, OutputFolder  # noqa: PLC0415
    from sftrecipe.run.requirements import DataOnly  # noqa: PLC0415
    from sftrecipe.run.run_plan import run_plan  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415

    recipe = checked(**options)
    _check_reach(recipe, to)
    project = project_of(recipe.path)
    plan = plan_recipe(recipe, project, to)
    target = output_folder(recipe, project, out)
    OutputFolder(target, recipe, take_over=take_over).check()
    beyond = _beyond_this_machine(plan, target) if to is None else []
    if beyond:
        plan = plan_recipe(recipe, project, "data")
    estimates = [] if retry_failed else forecast(plan, project, target, QUICK)
    warn_of_shortages(plan, project, estimates)
    with shown(quiet) as progress:
        running = run_plan(
            plan, project, target, progress, concurrency,
            retry_failed=retry_failed, take_over=take_over, estimates=estimates,
        )  # fmt: skip
        try:
            outcome = run_interruptibly(running)
        except SftrecipeError:
            leave_report(target, project)
            raise
        if outcome.fresh or not (target / REPORT_FILE).exists():
            leave_report(target, project)
    if as_json or not quiet:
        _tell(outcome, as_json=as_json, goes_on=not beyond)
    if beyond:
        raise DataOnly(plan, beyond)


def _tell(outcome: Outcome, *, as_json: bool, goes_on: bool) -> None:
    """Print the outcome, and after a run that did something what a user does next."""
    from sftrecipe.report.text.next_commands import next_commands  # noqa: PLC0415
    from sftrecipe.report.text.outcome_text import outcome_json, outcome_text  # noqa: PLC0415

    click.echo(outcome_json(outcome) if as_json else outcome_text(outcome))
    if outcome.fresh and goes_on and not as_json:
        click.echo(next_commands(outcome), err=True)


def _beyond_this_machine(plan: Plan, out: Path) -> list[Lack]:
    """What trainings and judges lack here, where the data can be made all the same."""
    from sftrecipe.run.requirements import lacking, leaves_data  # noqa: PLC0415

    if all(step.section.reach == "data" for step in plan.steps):
        return []
    lacks = lacking(plan, out)
    return lacks if leaves_data(plan, lacks) else []


def _check_reach(recipe: CheckedRecipe, to: Reach | None) -> None:
    """Raises UsageError where the recipe does not go so far."""
    from sftrecipe.errors import UsageError  # noqa: PLC0415

    if to == "train" and not recipe.train:
        raise UsageError("nothing-to-train", name=recipe.name)
    if to == "evaluate" and not recipe.evaluate:
        raise UsageError("nothing-to-evaluate", name=recipe.name)


def output_folder(recipe: CheckedRecipe, project: Project, out: Path | None) -> Path:
    """Where a run leaves its results."""
    return (out or project.run_folder(recipe.name)).resolve()


def leave_report(out: Path, project: Project) -> None:
    """Write the run's page. The data is there already, so a page that fails is only told."""
    from sftrecipe.messages import message  # noqa: PLC0415
    from sftrecipe.report.pages.run.leaving import leave_report as leave  # noqa: PLC0415
    from sftrecipe.run.output_folder import RUN_FILE  # noqa: PLC0415

    if not (out / RUN_FILE).exists():
        return  # it was refused before it began
    try:
        leave(out, project)
    except Exception as error:
        click.echo(message("report-failed", {"error": error}), err=True)
