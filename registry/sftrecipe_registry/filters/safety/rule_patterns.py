"""The files of rules, and expressions made of their patterns, compiled when they are first asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

import yaml

from sftrecipe_registry.filters.safety.needed_texts import Texts, needed_texts

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_GAPS = {"en": r"(?:(?:\W+\w+){0,5}?\W+)", "zh": "(?:[^。！？!?\\n]{0,8}?)"}
"""What `G` stands for in a pattern: a few words between."""
WORD_BEGINS = {"en": r"(?<!\w)(?=\w)", "zh": ""}
"""Where a pattern may begin: asked once for all of them, it saves most of the time."""


@cache
def rule_table(name: str, language: Language) -> dict[str, Any]:
    """One file of rules."""
    text = (files(__package__) / f"{name}.{language}.yaml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


class Patterns:
    """Any of some patterns."""

    def __init__(self, sources: Sequence[str], language: Language, begin: str = "") -> None:
        """Patterns of a file, with `G` for a gap, each to start where `begin` matches."""
        self._begin = begin
        self._sources = [source.replace("G", _GAPS[language]) for source in sources]

    @cached_property
    def needed(self) -> Texts | None:
        """Texts of which whatever matches holds one."""
        sets = [needed_texts(source, in_words=bool(self._begin)) for source in self._sources]
        known = [texts for texts in sets if texts is not None]
        return frozenset().union(*known) if len(known) == len(sets) else None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        joined = "|".join(f"(?:{one})" for one in self._sources)
        return re.compile(f"{self._begin}(?:{joined})")

    def search(self, text: str) -> re.Match[str] | None:
        """The first match."""
        return self._expression.search(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches."""
        return self._expression.finditer(text)
