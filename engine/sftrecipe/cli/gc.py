"""`sftrecipe gc`: what lies in the project that no run uses, and freeing it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sftrecipe.cli.amount import Amount
from sftrecipe.errors import UsageError
from sftrecipe.messages import message
from sftrecipe.report.text.gc_text import gc_json, gc_text, size_text
from sftrecipe.run.leftovers import Leftover, free, kept_back, leftovers, runs_without_rows
from sftrecipe.store.project import Project, project_around
from sftrecipe.store.work_lock import no_run_at_work


@click.command()
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path(),
    help="The project's folder.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Keep the rows of the last N runs of each recipe, for `diff`; by default of the last one.",
)
@click.option("--keep-days", type=Amount(), help="Keep what is younger.")
@click.option(
    "--keep-models",
    type=click.IntRange(min=0),
    help="Keep so many models of each training beside the one that is used, the newest.",
)
@click.option("-y", "--yes", is_flag=True, help="Free it without being asked.")
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def gc(
    folder: Path,
    *,
    keep: int,
    keep_days: float | None,
    keep_models: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Tell what lies in the project that no recipe's run uses, and free it.

    Models that a changed recipe left, trainings that were given up, checkpoints of finished ones,
    results of steps. Nothing is removed without `--yes` or an answer on a terminal. What the last
    run of any recipe uses stays, and so do the ledger's replies, which were paid for. The history
    lists all runs also when their rows are gone.
    """
    project = project_around(folder)
    found = leftovers(project, keep)
    kept = set(kept_back(found.found, keep_days, keep_models))
    freeable = [each for each in found.found if each not in kept]
    gone = runs_without_rows(found.runs, freeable, project)
    if not as_json:
        click.echo(gc_text(found, freeable, project, gone))
    freed = bool(freeable) and (yes or (not as_json and _is_confirmed(freeable)))
    if freed:
        _free(freeable, project, keep)
    if as_json:
        click.echo(gc_json(found, freeable, project, gone, freed=freed))
    elif freed:
        click.echo(message("gc-freed", {"size": size_text(_sum(freeable))}))
    elif freeable:
        click.echo(message("gc-nothing-freed", {}))


def _free(freeable: list[Leftover], project: Project, keep: int) -> None:
    """Free what is still unused now. Raises UsageError where a run is at work."""
    with no_run_at_work(project.work_lock) as alone:
        if not alone:
            raise UsageError("gc-at-work", "wait-for-it", folder=str(project.folder))
        unused = {each.path for each in leftovers(project, keep).found}
        for each in freeable:
            if each.path in unused:
                free(each)


def _is_confirmed(freeable: list[Leftover]) -> bool:
    """Whether the user, on a terminal, wants it freed; elsewhere nobody is asked."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return click.confirm(message("gc-ask", {"size": size_text(_sum(freeable))}))


def _sum(found: list[Leftover]) -> int:
    return sum(each.bytes for each in found)
