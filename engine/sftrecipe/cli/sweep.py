"""`sftrecipe sweep`: several variants of a recipe, trained, judged and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sftrecipe.cli.recipe_options import checked, recipe_options
from sftrecipe.cli.running import leave_report, output_folder, run_options

if TYPE_CHECKING:
    from sftrecipe.recipe.recipe import CheckedRecipe
    from sftrecipe.store.project import Project
    from sftrecipe.sweep.sweep_facts import SweepFacts
    from sftrecipe.sweep.sweep_run import SweepTarget


@click.command()
@recipe_options
@run_options
def sweep(
    *,
    out: Path | None,
    concurrency: int | None,
    retry_failed: bool,
    take_over: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Train and judge every variant that the recipe's `sweep` tells, and compare them.

    What variants share is made once; what is done already is not done again. The budget is that of
    the whole sweep. Exit status 1 where a variant failed or missed a gate; the others go on.
    """
    from sftrecipe.cli.interrupts import run_interruptibly  # noqa: PLC0415
    from sftrecipe.cli.progress_display import shown  # noqa: PLC0415
    from sftrecipe.errors import UsageError  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415
    from sftrecipe.sweep.sweep_run import SweepTarget  # noqa: PLC0415

    recipe = checked(**options)
    if recipe.sweep is None:
        raise UsageError("nothing-to-sweep", name=recipe.name)
    project = project_of(recipe.path)
    target = output_folder(recipe, project, out)
    _warn_of_budget(recipe, project, target)
    with shown(quiet) as progress:
        where = SweepTarget(
            project,
            target,
            progress,
            concurrency,
            retry_failed=retry_failed,
            take_over=take_over,
            ended=lambda folder: leave_report(folder, project),
        )
        facts = run_interruptibly(_swept(recipe, where))
    if as_json or not quiet:
        click.echo(_told(facts, target, as_json))
    return 1 if facts.failed else 0


def _warn_of_budget(recipe: CheckedRecipe, project: Project, out: Path) -> None:
    """Say on stderr where the budget is too small for all that is still to be done."""
    from sftrecipe.cli.shortages import warn_of_sweep_shortages  # noqa: PLC0415
    from sftrecipe.sweep.sweep_forecast import sweep_forecast  # noqa: PLC0415

    if recipe.budget:
        warn_of_sweep_shortages(sweep_forecast(recipe, project, out), recipe, project)


def _told(facts: SweepFacts, out: Path, as_json: bool) -> str:
    """What is printed at the end."""
    from sftrecipe.messages import message  # noqa: PLC0415
    from sftrecipe.report.pages.sweep.leaving import PAGE_FILE  # noqa: PLC0415
    from sftrecipe.report.text.sweep_text import sweep_text  # noqa: PLC0415
    from sftrecipe.sweep.sweep_facts import sweep_json  # noqa: PLC0415

    if as_json:
        return sweep_json(facts)
    return f"{sweep_text(facts)}\n{message('sweep-left', {'path': out / PAGE_FILE})}"


async def _swept(recipe: CheckedRecipe, target: SweepTarget) -> SweepFacts:
    """Execute, compare, and leave what was found."""
    from sftrecipe.messages import user_language  # noqa: PLC0415
    from sftrecipe.report.pages.sweep.leaving import leave_sweep_page  # noqa: PLC0415
    from sftrecipe.run.output_folder import OutputFolder  # noqa: PLC0415
    from sftrecipe.sweep.sweep_facts import sweep_facts, write_sweep  # noqa: PLC0415
    from sftrecipe.sweep.sweep_run import keep_only, run_sweep  # noqa: PLC0415

    swept = await run_sweep(recipe, target)
    facts = sweep_facts(swept)
    folder = OutputFolder(target.out, recipe, take_over=target.take_over)
    write_sweep(facts, folder)
    leave_sweep_page(facts, folder, recipe.language or user_language())
    if swept.sweep.keep_models == "best" and facts.best:
        await keep_only(facts.best, swept, target)
    return facts
