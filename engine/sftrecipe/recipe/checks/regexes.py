"""Regular expressions that compile and cannot take exponential time."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sftrecipe.errors import Position, Problem

MAX_CHARACTERS = 1000
MANY = 16
"""A repetition of so many times or more is as bad as one without an end."""

_ALPHABET = frozenset(map(chr, range(9, 127))) | frozenset("\x00éß中文，。（）①０ａ\u3000🙂")
_CATEGORIES = {
    code.CATEGORY_DIGIT: r"\d",
    code.CATEGORY_NOT_DIGIT: r"\D",
    code.CATEGORY_SPACE: r"\s",
    code.CATEGORY_NOT_SPACE: r"\S",
    code.CATEGORY_WORD: r"\w",
    code.CATEGORY_NOT_WORD: r"\W",
}
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)
_NOTHING: frozenset[str] = frozenset()

First = tuple[frozenset[str], bool]
"""Characters that something can begin with, and whether it can be empty."""


def pattern_problem(pattern: str, place: Position) -> Problem | None:
    """What is wrong with a regular expression of Python's `re`, if anything is."""
    if len(pattern) > MAX_CHARACTERS:
        values: dict[str, object] = {"length": len(pattern), "limit": MAX_CHARACTERS}
        return Problem("regex-long", place, values)
    try:
        explodes = _takes_long(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return Problem("regex-syntax", place, {"error": str(error)})
    if explodes:
        shown = pattern if len(pattern) <= 60 else pattern[:60] + "…"
        return Problem("regex-explodes", place, {"part": shown}, "simplify-regex")
    return None


@lru_cache(maxsize=256)
def _takes_long(pattern: str) -> bool:
    """Whether it explodes, looked at once for all profiles; raises what `re.compile` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        re.compile(pattern)
        return _explodes(parser.parse(pattern), _NOTHING, looping=False)


def _explodes(items: Sequence[Any], after: frozenset[str], *, looping: bool) -> bool:
    """Whether, in a loop, one text can be read in two ways; `after` is what may come next."""
    for kind, argument in reversed(list(items)):
        if kind in _REPEATS:
            bad = _repeat_explodes(argument, after, looping)
        elif kind is code.BRANCH:
            bad = _branch_explodes(argument[1], after, looping)
        else:
            bad = False
            for inner in _bodies(kind, argument):
                bad = bad or _explodes(inner, after, looping=looping)
        if bad:
            return True
        begins, empty = _first_of(kind, argument)
        after = begins | after if empty else begins
    return False


def _branch_explodes(choices: Sequence[Any], after: frozenset[str], looping: bool) -> bool:
    beginnings = [some | after if empty else some for some, empty in map(_first, choices)]
    if looping and _overlapping(beginnings):
        return True
    return any(_explodes(choice, after, looping=looping) for choice in choices)


def _repeat_explodes(argument: Any, following: frozenset[str], looping: bool) -> bool:
    least, most, body = argument
    begins, _ = _first(body)
    if looping and least != most and begins & following:
        return True
    loops = least != most and most >= MANY
    inside = begins if most > 1 else _NOTHING
    after = inside | following if looping or not loops else inside
    return _explodes(body, after, looping=looping or loops)


def _overlapping(sets: Sequence[frozenset[str]]) -> bool:
    seen: set[str] = set()
    for each in sets:
        if seen & each:
            return True
        seen |= each
    return False


def _bodies(kind: Any, argument: Any) -> Iterator[Any]:
    """The parts inside a group, a look-around or a condition."""
    if kind is code.SUBPATTERN:
        yield argument[3]
    elif kind in (code.ASSERT, code.ASSERT_NOT):
        yield argument[1]
    elif kind is code.ATOMIC_GROUP:
        yield argument
    elif kind is code.POSSESSIVE_REPEAT:
        yield argument[2]
    elif kind is code.GROUPREF_EXISTS:
        yield from (part for part in argument[1:] if part)


def _first(items: Sequence[Any]) -> First:
    begins: frozenset[str] = frozenset()
    for kind, argument in items:
        some, empty = _first_of(kind, argument)
        begins |= some
        if not empty:
            return begins, False
    return begins, True


def _first_of(kind: Any, argument: Any) -> First:
    if kind in (*_REPEATS, code.POSSESSIVE_REPEAT):
        begins, empty = _first(argument[2])
        return begins, empty or argument[0] == 0
    if kind is code.BRANCH:
        choices = [_first(choice) for choice in argument[1]]
        return frozenset().union(*(some for some, _ in choices)), any(e for _, e in choices)
    if kind in (code.AT, code.ASSERT, code.ASSERT_NOT):
        return _NOTHING, True
    if kind is code.GROUPREF:
        return _ALPHABET, True
    inner = list(_bodies(kind, argument))
    if inner:
        parts = [_first(part) for part in inner]
        return frozenset().union(*(some for some, _ in parts)), any(e for _, e in parts)
    return _characters(kind, argument), False


def _characters(kind: Any, argument: Any) -> frozenset[str]:
    """The characters of the alphabet that one item takes, upper and lower case as one."""
    found = _ALPHABET
    if kind is code.LITERAL:
        found = frozenset(_cases(chr(argument)))
    elif kind is code.NOT_LITERAL:
        found = _ALPHABET - {chr(argument)}
    elif kind is code.RANGE:
        low, high = argument
        found = frozenset(c for a in _ALPHABET if low <= ord(a) <= high for c in _cases(a))
    elif kind is code.CATEGORY:
        found = _of_category(argument)
    elif kind is code.IN:
        negated = argument[0][0] is code.NEGATE
        parts = [_characters(*item) for item in (argument[1:] if negated else argument)]
        found = frozenset().union(*parts)
        found = _ALPHABET - found if negated else found
    return found


@cache
def _of_category(category: Any) -> frozenset[str]:
    return frozenset(c for c in _ALPHABET if re.match(_CATEGORIES[category], c))


def _cases(character: str) -> tuple[str, str, str]:
    return character, character.lower()[:1], character.upper()[:1]
