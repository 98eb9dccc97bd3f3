"""`sftrecipe doctor`: is everything ready, and what to do where it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sftrecipe.api.interrupts import run_interruptibly
from sftrecipe.api.progress_display import show_progress
from sftrecipe.cli.amount import Amount
from sftrecipe.cli.recipe_options import CheckOptions, check_options, checked_recipe, out_option
from sftrecipe.doctor.checkup import check_up
from sftrecipe.report.text.doctor_text import doctor_json, doctor_text, fault_count
from sftrecipe.store.project import project_around, project_of


@click.command()
@click.argument("recipe", required=False, type=click.Path(path_type=Path))
@check_options
@out_option
@click.option("--offline", is_flag=True, help="Ask no provider.")
@click.option(
    "--timeout",
    type=Amount(min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds that a provider may take to answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def doctor(
    *,
    recipe: Path | None,
    check: CheckOptions,
    out: Path | None,
    offline: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Check that a recipe can run here: providers, ledger, folders, packages, training.

    Every provider is asked one tiny call for each thing that the recipe needs of it, today: nothing
    comes from the ledger or goes into it. Without a recipe, the installation and the folder's
    ledger are checked.
    """
    found = checked_recipe(recipe, check, keys_later=True) if recipe else None
    project = project_of(recipe) if recipe else project_around()
    if out is None and found:
        out = project.run_folder(found.name)
    with show_progress(as_json) as progress:
        findings = run_interruptibly(
            check_up(found, project, out, progress, seconds=timeout, offline=offline)
        )
    if as_json:
        click.echo(doctor_json(findings, recipe))
    else:
        encoding = sys.stdout.encoding or "ascii"
        text = doctor_text(findings, encoding)
        click.echo(text.encode(encoding, "replace").decode(encoding))
    return 1 if fault_count(findings) else 0
