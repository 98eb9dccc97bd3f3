"""`sftrecipe report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from sftrecipe.api.run_results import Run
from sftrecipe.report.pages.run.run_page import facts_json


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
    page = Run.open(run).write_report(file, language=lang)
    click.echo(facts_json(page.facts) if as_json and page.facts else str(page))
