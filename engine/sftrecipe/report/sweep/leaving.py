"""Leaving the page of a sweep in its output folder."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.report.sweep.page import sweep_page
from sftrecipe.run.sweep_facts import SweepFacts
from sftrecipe.store.atomic_files import create

PAGE_FILE = "sweep.html"


def leave_sweep_page(facts: SweepFacts, out: Path, language: str) -> None:
    """Write the page. Raises SftrecipeError where that cannot be."""
    with create(out, PAGE_FILE) as file:
        file.write(sweep_page(facts, language).encode("utf-8", "replace"))
