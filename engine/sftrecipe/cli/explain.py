"""`sftrecipe explain`: why a row is as it is."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.report.text.explanation_text import explanation_json, explanation_text
from sftrecipe.run.row_trace import trace_row
from sftrecipe.run.run_file import latest_run, readable
from sftrecipe.store.project import project_of


@click.command()
@click.argument("row")
@click.option(
    "--run",
    "out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Output folder of the run; the latest under runs/ where it is left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")
def explain(row: str, out: Path | None, as_json: bool) -> None:
    """Walk back from a row to its seeds, prompts, replies, scores and models.

    ROW is a row's id, the beginning of one, or a text that the row holds.
    """
    project = project_of(out or Path.cwd() / "recipe")
    run = out or latest_run(project.folder / "runs")
    with readable(run):
        trace = trace_row(row, run, project)
    click.echo(explanation_json(trace) if as_json else explanation_text(trace))
