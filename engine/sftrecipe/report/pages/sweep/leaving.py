"""Leaving the page of a sweep in its output folder."""

from __future__ import annotations

from sftrecipe.report.pages.sweep.sweep_page import sweep_page
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.sweep.sweep_facts import SweepFacts

PAGE_FILE = "sweep.html"


def leave_sweep_page(facts: SweepFacts, out: OutputFolder, language: str) -> None:
    """Write the page. Raises SftrecipeError where that cannot be."""
    with out.create(PAGE_FILE) as file:
        file.write(sweep_page(facts, language).encode("utf-8", "replace"))
