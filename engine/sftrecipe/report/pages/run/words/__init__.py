"""The words of the page, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

Words = Mapping[str, str]
"""Texts by name; some have gaps for values (`{rows}`)."""


def words_of(language: str) -> Words:
    """The words of a language: Chinese for `zh`, else English."""
    name = "zh" if language.startswith("zh") else "en"
    found: Words = import_module(f"{__name__}.{name}").WORDS
    return found
