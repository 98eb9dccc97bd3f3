"""`sftrecipe ledger`: what was asked, what it cost, whether the file is sound."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.calls.ledger.counted_calls import read_call, totals
from sftrecipe.calls.ledger.counted_calls import verify as check
from sftrecipe.calls.ledger.repair import repair as save
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.report.text.ledger_text import (
    call_json,
    call_text,
    repaired_json,
    repaired_text,
    sound_json,
    sound_text,
    totals_json,
    totals_text,
)
from sftrecipe.store.project import project_around


@click.group(invoke_without_command=True)
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The project's folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
@click.pass_context
def ledger(context: click.Context, project: Path, as_json: bool) -> None:
    """Print calls, tokens and cost by provider, model and day."""
    path = project_around(project).ledger
    context.obj = {**(context.obj or {}), "ledger": path, "as_json": as_json}
    if context.invoked_subcommand:
        return
    found = totals(path)
    click.echo(totals_json(found) if as_json else totals_text(found))


@ledger.command()
@click.argument("key")
@click.pass_context
def show(context: click.Context, key: str) -> None:
    """Print one call: request, reply, tokens, cost."""
    call = read_call(context.obj["ledger"], key)
    if call is None:
        raise UsageError("no-such-call", key=key)
    click.echo(call_json(call) if context.obj["as_json"] else call_text(call))


@ledger.command()
@click.pass_context
def repair(context: click.Context) -> None:
    """Save every readable call of a damaged ledger; the damaged file is kept beside."""
    try:
        _verify(context)
    except SftrecipeError as error:
        if error.problem.slug != "ledger-damaged":
            raise
        repaired = save(context.obj["ledger"])
        as_json = context.obj["as_json"]
        click.echo(repaired_json(repaired) if as_json else repaired_text(repaired))


@ledger.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Check that the ledger's file is sound."""
    _verify(context)


def _verify(context: click.Context) -> None:
    path = context.obj["ledger"]
    calls = check(path)
    click.echo(sound_json(path, calls) if context.obj["as_json"] else sound_text(path, calls))
