"""The words of a language, for pages and for the table of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from sftrecipe.messages import user_language
from sftrecipe.report.words import chinese, english

Words = Mapping[str, str]
"""Texts by name; some have gaps for values (`{rows}`)."""


def run_words(language: str) -> Words:
    """The words of a run's page: Chinese for `zh`, else English."""
    words: Words = _module(language).RUN
    return words


def sweep_words(language: str | None) -> Words:
    """The words of a sweep's table and page, in the user's language where it is None."""
    words: Words = _module(language or user_language()).SWEEP
    return words


def _module(language: str) -> ModuleType:
    return chinese if language.startswith("zh") else english
