"""The words of a sweep's table and page, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from sftrecipe.messages import user_language
from sftrecipe.report.pages.sweep.words import en, zh

Words = Mapping[str, str]
"""Texts by name; some have gaps for values (`{rows}`)."""


def words_of(language: str | None) -> Words:
    """The words of a language, the user's where it is None: Chinese for `zh`, else English."""
    return zh.WORDS if (language or user_language()).startswith("zh") else en.WORDS
