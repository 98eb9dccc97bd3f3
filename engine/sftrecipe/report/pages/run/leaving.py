"""Leaving the report in a run's folder."""

from __future__ import annotations

from pathlib import Path

import orjson

from sftrecipe.messages import user_language
from sftrecipe.report.pages.run.facts.run_facts import RunFacts, run_facts
from sftrecipe.report.pages.run.run_page import run_page
from sftrecipe.run.output_folder import REPORT_FILE
from sftrecipe.run.run_file import run_before
from sftrecipe.store.atomic_files import create
from sftrecipe.store.project import Project, project_of


def leave_report(
    out: Path, project: Project, language: str | None = None, file: Path | None = None
) -> RunFacts:
    """Write the page of the run in `out`, into its folder or into `file`; its facts.

    The language is the recipe's unless one is given; the user's where it has none. Raises
    UsageError where there is no run, SftrecipeError when the page cannot be written.
    """
    facts = run_facts(out, project)
    page = run_page(facts, language or facts.head.language or user_language())
    folder, name = (out, REPORT_FILE) if file is None else (file.parent, file.name)
    with create(folder, name) as opened:
        opened.write(page.encode("utf-8", "replace"))
    return facts


def facts_json(facts: RunFacts) -> str:
    """The facts of a page as JSON."""
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2, default=str).decode()


def project_of_run(out: Path) -> Project:
    """The project that a run belongs to: its recipe's, or that around its folder."""
    recipe = run_before(out).recipe
    return project_of(Path(recipe) if recipe and Path(recipe).exists() else out)
