"""`sftrecipe explain`: why a row is as it is."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.api.run_results import Run
from sftrecipe.report.text.explanation_text import explanation_json
from sftrecipe.report.text.found_rows_text import found_rows_json, found_rows_text
from sftrecipe.run.row_search import line_of_file
from sftrecipe.store.project import RUN_FILE


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--run",
    "out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Output folder of the run; the latest under runs/ where it is left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def explain(words: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Walk back from a row to its seeds, prompts, replies, scores and models.

    WORDS is a row's id, the beginning of one, a text that the row holds, or a line of an exported
    file (FILE:LINE). Where several rows hold it, they are listed.
    """
    asked = " ".join(words)
    run = Run.open(out or _run_of_file(asked))
    found = run.find(asked)
    if len(found) > 1:
        click.echo(found_rows_json(found) if as_json else found_rows_text(found, asked))
        return
    explanation = run.explain(found[0].id)
    click.echo(explanation_json(explanation.trace) if as_json else str(explanation))


def _run_of_file(asked: str) -> Path | None:
    """The run whose folder holds the exported file that is named."""
    named = line_of_file(asked)
    folders = named[0].resolve().parents if named else ()
    return next((folder for folder in folders if (folder / RUN_FILE).is_file()), None)
