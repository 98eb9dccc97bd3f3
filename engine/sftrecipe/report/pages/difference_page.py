"""The page of what changed between two runs: HTML with its style inside, no script, no request."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.messages import user_language
from sftrecipe.report.comparison.run_difference import RunDifference
from sftrecipe.report.pages.html_page import page_environment, shared_values
from sftrecipe.report.text.difference_sections import difference_sections, heads, notes
from sftrecipe.report.words.difference_words import difference_words
from sftrecipe.store.atomic_files import create


def write_difference_page(found: RunDifference, file: Path, language: str | None = None) -> None:
    """Write the page. Raises SftrecipeError where that cannot be."""
    page = difference_page(found, language or user_language())
    with create(file.parent, file.name) as opened:
        opened.write(page.encode("utf-8", "replace"))


def difference_page(found: RunDifference, language: str) -> str:
    """The page in a language (`zh`, else English), in the style of a run's page.

    Rows and names are the user's text: they are escaped, and characters that a browser would obey
    are named instead. A Content Security Policy forbids scripts and requests.
    """
    words = difference_words(language)
    return (
        page_environment()
        .get_template("difference_page.html.j2")
        .render(
            title=words["title"].format(was=found.was.name, now=found.now.name),
            heads=heads(found, words),
            notes=notes(found, words),
            nothing=found.is_empty,
            sections=difference_sections(found, words),
            w=words,
            **shared_values(language),
        )
    )
