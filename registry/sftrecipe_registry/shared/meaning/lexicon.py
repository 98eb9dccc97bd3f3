"""The word lists that texts are compared by, and what each word stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from sftrecipe_registry.shared.meaning.english_stems import stem


class Lexicon(NamedTuple):
    """One language's words."""

    light: frozenset[str]
    """Words that say nothing by themselves."""
    group_of: Mapping[str, frozenset[str]]
    """What a word stands for: the names of the groups of synonyms that hold it."""
    poles: Mapping[str, frozenset[tuple[str, int]]]
    """Axes of opposites that a word lies on, with its end."""
    classes: Mapping[str, frozenset[str]]
    """Classes of which only one is meant: days, organs, drugs."""
    numbers: Mapping[str, float]
    units: Mapping[str, str]
    unit_names: frozenset[str]
    """The first word of every group of units."""
    negations: frozenset[str]
    neutral: frozenset[str]
    names: frozenset[str]
    """What people in examples are called: another name is no other question."""
    courtesies: tuple[str, ...]
    phrases: frozenset[str]
    """Entries of several words."""


@cache
def english() -> Lexicon:
    """The English words, by their stems."""
    return _lexicon("english.txt", _stemmed)


@cache
def chinese() -> Lexicon:
    """The Chinese words."""
    return _lexicon("chinese.txt", lambda word: word.split("_", 1)[0])


def lexicon_of(word: str) -> Lexicon:
    """The words of the language that a word is in."""
    return english() if word.isascii() else chinese()


@cache
def homophones() -> Mapping[str, int]:
    """Common Chinese characters, each with the number of its sound."""
    groups = " ".join(_lines("homophones.txt")).split()
    return {character: place for place, group in enumerate(groups) for character in group}


def _stemmed(entry: str) -> str:
    return "_".join(map(stem, entry.split("_")))


def _lexicon(name: str, plain: Callable[[str], str]) -> Lexicon:
    sections = _sections(name)
    words = {
        section: [[plain(word) for word in line.split()] for line in lines]
        for section, lines in sections.items()
        if section not in {"numbers", "opposites"}
    }
    numbers = {
        plain(word): float(value)
        for line in sections["numbers"]
        for word, value in (pair.split("=") for pair in line.split())
    }
    poles = _poles(name[0], sections["opposites"], plain)
    every = {word for groups in words.values() for group in groups for word in group}
    return Lexicon(
        light=_flat(words["light"]),
        group_of=_numbered(name[0], words["synonyms"]),
        poles=poles,
        classes=_numbered(name[0], words["exclusive"]),
        numbers=numbers,
        units={word: group[0] for group in words["units"] for word in group},
        unit_names=frozenset(group[0] for group in words["units"]),
        negations=_flat(words["negations"]),
        neutral=_flat(words["neutral"]),
        names=_flat(words["names"]),
        courtesies=tuple(sorted(_flat(words.get("courtesies", [])), key=len, reverse=True)),
        phrases=frozenset(every | numbers.keys() | poles.keys()),
    )


def _numbered(mark: str, groups: list[list[str]]) -> dict[str, frozenset[str]]:
    """The names of the groups that hold each word."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for place, group in enumerate(groups):
        for word in group:
            found[word].add(f"{mark}{place}")
    return {word: frozenset(names) for word, names in found.items()}


def _poles(
    mark: str, lines: list[str], plain: Callable[[str], str]
) -> dict[str, frozenset[tuple[str, int]]]:
    """The axes of each word, with its end."""
    poles: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for place, line in enumerate(lines):
        for end, side in enumerate(line.split("|")):
            for word in side.split():
                poles[plain(word)].add((f"{mark}{place}", end))
    return {word: frozenset(axes) for word, axes in poles.items()}


def _flat(groups: list[list[str]]) -> frozenset[str]:
    return frozenset(word for group in groups for word in group)


def _sections(name: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in _lines(name):
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        else:
            current.append(line)
    return sections


def _lines(name: str) -> Iterator[str]:
    text = (files(__package__) / name).read_text("utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
