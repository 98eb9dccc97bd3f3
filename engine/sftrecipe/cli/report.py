"""`sftrecipe report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.cli.found_run import found_run, project_of_run
from sftrecipe.report.pages.run.run_page import facts_json, write_report
from sftrecipe.run.output_folder import REPORT_FILE
from sftrecipe.run.run_file import readable


@click.command()
@click.argument("run")
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page; report.html in the run's folder by default.",
)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="The recipe's language by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the page's facts as JSON.")
def report(run: str, file: Path | None, lang: str | None, as_json: bool) -> None:
    """Write a run's report: one HTML page that needs no network and nothing beside it.

    RUN is a run's folder, its recipe, or a name under runs/.
    """
    out, record = found_run(run)
    with readable(out):
        facts = write_report(out, project_of_run(out, record), lang, file)
    click.echo(facts_json(facts) if as_json else str(file or out / REPORT_FILE))
