"""The texts that patterns of `safety` need: up to date, and in whatever the patterns match."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe_registry.filters.safety.harm_rules import language_rules
from sftrecipe_registry.filters.safety.rule_patterns import (
    LANGUAGES,
    SECTIONS,
    Language,
    needed_texts_of,
)
from sftrecipe_registry.filters.safety.text_index import spaced

BENCH = Path(__file__).parents[3] / "benchmarks" / "filters"
sys.path.insert(0, str(BENCH))

from needed_texts import needed_table  # noqa: E402


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_those_of_the_patterns(language: Language) -> None:
    known = {
        f"{section}.{name}": None if texts is None else sorted(texts)
        for (section, name), texts in needed_texts_of(language).items()
    }
    assert known == needed_table(language), "run benchmarks/filters/needed_texts.py"


def labelled_texts() -> Iterator[str]:
    """Texts of all labelled rows, of every filter."""
    for path in sorted((BENCH / "rows").glob("*/*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            columns = row.get("columns", row)
            turns = columns.get("messages") or []
            yield from (text for text in columns.values() if isinstance(text, str))
            yield from (turn["content"] for turn in turns)
    for path in (BENCH / "training").glob("safety.*.tsv"):
        for line in path.read_text("utf-8").splitlines():
            yield from line.split("\t")[1:]


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_pattern_matches_is_possible(language: Language) -> None:
    rules = language_rules(language)
    known = {text[:600].lower() for text in labelled_texts()}
    matches = 0
    for text in sorted(known)[::6]:
        form = spaced(text) if language == "en" else text
        for part, sections in SECTIONS.items():
            possible = rules.indexes[part].possible(form)
            for name, pattern in rules.patterns.items():
                if name[0] in sections and (found := pattern.search(text)):
                    matches += 1
                    assert name in possible, (name, found[0])
    assert matches > 300
