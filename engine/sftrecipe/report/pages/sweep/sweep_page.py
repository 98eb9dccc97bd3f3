"""The page of a sweep's facts: HTML with its style and drawing inside, no script, no request."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sftrecipe.report.pages import run as run_page
from sftrecipe.report.pages.run.visible import visible
from sftrecipe.report.pages.sweep.chart import sweep_chart
from sftrecipe.report.pages.sweep.words import words_of
from sftrecipe.report.text.sweep_text import sweep_cells, sweep_head, sweep_sentences, sweep_title
from sftrecipe.sweep.sweep_facts import SweepFacts

_TEMPLATES = Path(__file__).with_name("templates")
_STYLE = Path(run_page.__file__).with_name("templates") / "style.css"
_NUMBERS = range(1, 4)
"""Columns that are set to the right."""


def sweep_page(facts: SweepFacts, language: str) -> str:
    """The page in a language (`zh`, else English), in the style of a run's page.

    Names and values are the user's text: they are escaped, and characters that a browser would obey
    are named instead. A Content Security Policy forbids scripts and requests.
    """
    words = words_of(language)
    style = _STYLE.read_text(encoding="utf-8")
    return (
        _environment()
        .get_template("sweep.html.j2")
        .render(
            facts=facts,
            w=words,
            page_title=words["page-title"].format(name=facts.name),
            language="zh-CN" if language.startswith("zh") else "en",
            title=sweep_title(facts, words),
            sentences=sweep_sentences(facts, words),
            head=sweep_head(words),
            lines=zip(facts.variants, sweep_cells(facts, words), strict=True),
            numbers=_NUMBERS,
            chart=sweep_chart(facts, words),
            style=Markup(style),  # noqa: S704 - our own file
            style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
