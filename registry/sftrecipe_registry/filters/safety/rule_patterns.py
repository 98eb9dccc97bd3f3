"""The files of rules, and expressions of their patterns that are compiled when first searched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from itertools import chain, permutations
from typing import Any, Literal

import yaml

from sftrecipe_registry.filters.safety.text_index import Texts

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Name = tuple[str, str]
"""A section of the rules and a category or family of it."""
SECTIONS = {
    "asked": ("certain", "requests", "subjects", "strong", "named", "acts", "hidden"),
    "said": ("answers",),
    "helped": ("complicit",),
}
"""Sections of the rules by what they are looked for in: the question, the answer's beginning, and,
where the question holds something, more of the answer."""

_FILES = ("safety_rules", "safety_strong", "safety_intent", "safety_certain")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_GAPS = {"en": r"(?:(?:\W+\w+){0,5}?\W+)", "zh": "(?:[^。！？!?\\n]{0,8}?)"}
"""What `G` stands for in a pattern: a few words between."""
_CLAUSE = r"[^,，;；。！？!?\n]"
_BEGINS = {"en": r"(?<!\w)(?=\w)", "zh": ""}
"""Where a pattern may begin: asked once for all of them, it saves most of the time."""


@cache
def rule_table(language: Language) -> dict[str, Any]:
    """The rules of all files of a language, by section."""
    table: dict[str, Any] = {}
    for name in _FILES:
        table |= yaml.load(_read(f"{name}.{language}.yaml"), _LOADER)  # noqa: S506 - a safe loader
    return table


def all_patterns(language: Language) -> dict[Name, Patterns]:
    """The patterns of all sections."""
    table = rule_table(language)
    return {
        (section, name): Patterns(alike, language)
        for section in chain.from_iterable(SECTIONS.values())
        for name, alike in table[section].items()
    }


def needed_texts_of(language: Language) -> Mapping[Name, Texts | None]:
    """What a text must hold for the patterns to match."""
    table: dict[str, list[str] | None] = json.loads(_read(f"safety_needed.{language}.json"))
    needed: dict[Name, Texts | None] = {}
    for name, texts in table.items():
        section, _, category = name.partition(".")
        needed[section, category] = None if texts is None else frozenset(texts)
    return needed


def _read(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _factored(sources: Sequence[str], stands_for: Mapping[str, str]) -> list[str]:
    """Patterns whose common beginnings that stand for much are written and tried but once."""
    beginnings = (
        *stands_for,
        *(f"(?:{one}|{other})" for one, other in permutations(stands_for, 2)),
    )
    rests: dict[str, list[str]] = {}
    for source in chain.from_iterable(map(_alternatives, sources)):
        begin = next(filter(source.startswith, beginnings), "")
        rests.setdefault(begin, []).append(source.removeprefix(begin))
    alone = rests.pop("", [])
    return alone + [f"{begin}(?:{'|'.join(few)})" for begin, few in rests.items()]


def _alternatives(source: str) -> Iterator[str]:
    """The parts of a pattern between its outermost bars."""
    depth = start = 0
    for place, sign in enumerate(source):
        depth += (sign in "([") - (sign in ")]")
        if sign == "|" and not depth:
            yield source[start:place]
            start = place + 1
    yield source[start:]


def _spelled_out(source: str, stands_for: Mapping[str, str], language: Language) -> str:
    for letter, pattern in stands_for.items():
        source = source.replace(letter, pattern)
    source = source.replace("G", _GAPS[language])
    # A harm and its object stand in one clause.
    return source.replace(".{", _CLAUSE + "{") if language == "zh" else source


class Patterns:
    """Any of some patterns."""

    def __init__(self, sources: Sequence[str], language: Language) -> None:
        """Patterns of a file, with `G` for a gap."""
        self._begins = _BEGINS[language]
        stands_for = rule_table(language)["stands_for"]
        factored = _factored(sources, stands_for)
        self.sources = [_spelled_out(source, stands_for, language) for source in factored]

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        joined = "|".join(f"(?:{one})" for one in self.sources)
        return re.compile(f"{self._begins}(?:{joined})")

    def search(self, text: str) -> re.Match[str] | None:
        """The first match."""
        return self._expression.search(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches."""
        return self._expression.finditer(text)
