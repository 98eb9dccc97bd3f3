"""`sftrecipe sweep`: several variants of a recipe, trained, judged and compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from sftrecipe.api.interrupts import run_interruptibly
from sftrecipe.api.prepared_run import leave_report, output_folder
from sftrecipe.api.progress_display import show_progress
from sftrecipe.cli.recipe_options import CheckOptions, checked_recipe, recipe_options
from sftrecipe.cli.recipe_run import RunOptions, run_options
from sftrecipe.errors import UsageError
from sftrecipe.messages import message, user_language
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.pages.sweep_page import PAGE_FILE, write_sweep_page
from sftrecipe.report.text.plan_text import shortage_text
from sftrecipe.report.text.sweep_text import sweep_text
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.store.project import Project, project_of
from sftrecipe.sweep.sweep_facts import SweepFacts, sweep_facts, sweep_json, write_sweep
from sftrecipe.sweep.sweep_forecast import sweep_forecast, sweep_too_small
from sftrecipe.sweep.sweep_run import SweepTarget, keep_only, run_sweep


@click.command()
@recipe_options
@run_options
def sweep(recipe: Path, check: CheckOptions, options: RunOptions) -> int:
    """Train and judge every variant that the recipe's `sweep` tells, and compare them.

    What variants share is made once; what is done already is not done again. The budget is that of
    the whole sweep. Exit status 1 where a variant failed or missed a gate; the others go on.
    """
    checked = checked_recipe(recipe, check)
    if checked.sweep is None:
        raise UsageError("nothing-to-sweep", name=checked.name)
    project = project_of(checked.path)
    out = output_folder(checked, project, options.out)
    _warn_of_budget(checked, project, out)
    with show_progress(options.quiet) as progress:
        target = SweepTarget(
            project,
            out,
            progress,
            options.concurrency,
            retry_failed=options.retry_failed,
            take_over=options.take_over,
            ended=lambda folder: leave_report(folder, project, partial(click.echo, err=True)),
        )
        facts = run_interruptibly(_run_and_compare(checked, target))
    if options.as_json:
        click.echo(sweep_json(facts))
    elif not options.quiet:
        click.echo(f"{sweep_text(facts)}\n{message('sweep-left', {'path': out / PAGE_FILE})}")
    return 1 if facts.failed else 0


def _warn_of_budget(recipe: CheckedRecipe, project: Project, out: Path) -> None:
    """Say on stderr where the budget is too small for all that is still to be done."""
    if recipe.budget:
        parts = sweep_forecast(recipe, project, out)
        for shortage in sweep_too_small(parts, recipe, project):
            click.echo(shortage_text(shortage, "sweep-budget-short"), err=True)


async def _run_and_compare(recipe: CheckedRecipe, target: SweepTarget) -> SweepFacts:
    """Execute, compare, and leave what was found."""
    swept = await run_sweep(recipe, target)
    facts = sweep_facts(swept)
    folder = OutputFolder(target.out, recipe, take_over=target.take_over)
    write_sweep(facts, folder)
    write_sweep_page(facts, folder, recipe.language or user_language())
    if swept.sweep.keep_models == "best" and facts.best:
        await keep_only(facts.best, swept, target)
    return facts
