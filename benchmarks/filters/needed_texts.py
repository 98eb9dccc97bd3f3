"""What a text must hold for a pattern of the filter `safety` to match: a cheap question first.

    python benchmarks/filters/needed_texts.py

Worked out of the parsed patterns, so that no list of words has to be kept beside the rules; run it
when a pattern has changed (a test says so). It writes safety_needed.*.json beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from sftrecipe_registry.filters.safety.rule_patterns import LANGUAGES, Language, all_patterns
from sftrecipe_registry.filters.safety.text_index import SPACES, Texts

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "registry/sftrecipe_registry/filters/safety"
_MOST = 64
"""Texts of one place that are told apart."""
_COMMON_WORDS = (
    "how what where which why write make making get give tell show help find put use take let "
    "want need buy sell order send share post run start open set can could would should not the "
    "and for you your her his him them they their she people person someone with without from "
    "this that story about create build best way ways tips steps plan good keep only just all "
    "one my look looks when while before after until will won't never don't nobody no is are "
    "was were be has have had do does out back home down up in on to at know see ask name care "
    "cause follow read mean script doctor women girls track pass call hold come comes he it we "
    "i an a second phone system men man day time work used more less go "
)
_COMMON = frozenset(_COMMON_WORDS.split())
_RARER = {True: 12.0, False: 150.0}
"""How many times rarer a text is with one more letter of ASCII, or with another character."""

_NOTHING: Texts = frozenset({""})
_SPACE: Texts = frozenset({" "})
_EACH = 0.003
"""What it costs to look for a text that is never there."""


def needed_texts(pattern: str, in_words: bool) -> Texts | None:
    """Texts of which every match holds one, the rarest such set; None where there is none.

    With `in_words` for patterns that begin where a word does, and texts in the form of `spaced`.
    """
    parser = import_module("re._parser")  # where re keeps it
    begin = _SPACE if in_words else _NOTHING
    return _shortest(_Walk(in_words).best(parser.parse(pattern), begin))


def needed_table(language: Language) -> dict[str, list[str] | None]:
    """What the patterns of every section and category need."""
    table: dict[str, list[str] | None] = {}
    for (section, name), patterns in all_patterns(language).items():
        sets = [needed_texts(source, language == "en") for source in patterns.sources]
        known = [texts for texts in sets if texts is not None]
        all_known = _shortest(frozenset().union(*known)) if len(known) == len(sets) else None
        table[f"{section}.{name}"] = None if all_known is None else sorted(all_known)
    return table


def main() -> None:
    """Write the tables."""
    for language in LANGUAGES:
        text = json.dumps(needed_table(language), ensure_ascii=False, indent=0)
        (FOLDER / f"safety_needed.{language}.json").write_text(f"{text}\n", encoding="utf-8")


def _shortest(texts: Texts | None) -> Texts | None:
    """Without those that hold another one."""
    if texts is None:
        return None
    kept: list[str] = []
    for text in sorted(texts, key=len):
        if not any(one in text for one in kept):
            kept.append(text)
    return frozenset(kept)


def _cost(texts: Texts) -> float:
    """How often one of the texts is likely to stand somewhere."""
    return sum(_often(text) + _EACH for text in texts)


def _often(text: str) -> float:
    bare = text.strip()
    if not bare:
        return 50.0
    if bare in _COMMON:
        return 1.0
    edges = (len(text) - len(bare)) / 3
    return max(1e-9, _RARER[bare.isascii()] ** -(len(bare) + edges) * 50)


class _Walk:
    """Goes through a parsed expression."""

    def __init__(self, in_words: bool) -> None:
        self._in_words = in_words

    def _literal(self, code: int) -> str:
        return chr(code).translate(SPACES) if self._in_words else chr(code)

    def best(self, items: Iterable[tuple[Any, Any]], begin: Texts = _NOTHING) -> Texts | None:
        """The rarest set of texts that a sequence needs after what it begins with."""
        found: list[Texts] = []
        running = begin
        for operator, value in items:
            if (
                self._in_words
                and str(value) == "AT_BOUNDARY"
                and all(text[-1:].isalnum() for text in running)
            ):
                found.append(frozenset(f"{text} " for text in running))
                running = _SPACE
                continue
            exact = self._exact(operator, value)
            if exact is not None and len(exact) * len(running) <= _MOST:
                running = frozenset(before + after for before in running for after in exact)
                continue
            found.append(running)
            if self._in_words and _begins_apart([(operator, value)]):
                found.append(frozenset(f"{text} " for text in running))
            inner = self._inside(operator, value, running)
            running = _after(operator, value, running) if self._in_words else _NOTHING
            if inner is not None:
                found.append(inner)
        usable = [texts for texts in (*found, running) if all(map(str.strip, texts))]
        return min(usable, key=_cost, default=None)

    def _exact(self, operator: Any, value: Any) -> Texts | None:
        """All texts that one item can match, where they are few and known."""
        match str(operator):
            case "LITERAL":
                return frozenset({self._literal(value)})
            case "AT" | "ASSERT" | "ASSERT_NOT":
                return _NOTHING
            case "IN":
                found = _characters(value)
                return found and frozenset(self._literal(ord(one)) for one in found)
            case "SUBPATTERN":
                return self._sequence(value[-1])
            case "BRANCH":
                return _union([self._sequence(one) for one in value[1]])
            case "MAX_REPEAT" | "MIN_REPEAT" if value[1] == 1:
                once = self._sequence(value[2])
                return once if once is None or value[0] else once | {""}
        return None

    def _sequence(self, items: Iterable[tuple[Any, Any]]) -> Texts | None:
        running: Texts = _NOTHING
        for operator, value in items:
            exact = self._exact(operator, value)
            if exact is None or len(exact) * len(running) > _MOST:
                return None
            running = frozenset(before + after for before in running for after in exact)
        return running

    def _inside(self, operator: Any, value: Any, before: Texts) -> Texts | None:
        """What an item needs that can match much."""
        begin = _SPACE if all(text.endswith(" ") for text in before) else _NOTHING
        match str(operator):
            case "SUBPATTERN":
                return self.best(value[-1], begin)
            case "BRANCH":
                return _union([self.best(one, begin) for one in value[1]])
            case "MAX_REPEAT" | "MIN_REPEAT" if value[0] > 0:
                return self.best(value[2])
        return None


def _after(operator: Any, value: Any, before: Texts) -> Texts:
    """What certainly stands at the end of an item that can match much."""
    match str(operator):
        case "SUBPATTERN" | "BRANCH" if _ends_apart([(operator, value)]):
            return _SPACE
        case "MAX_REPEAT" | "MIN_REPEAT":
            if _ends_apart(value[2]) and (
                value[0] > 0 or all(text.endswith(" ") for text in before)
            ):
                return _SPACE
    return _NOTHING


def _ends_apart(items: Sequence[tuple[Any, Any]]) -> bool:
    """Whether whatever a sequence matches ends with no letter, digit or underscore."""
    told = [one for one in items if not (str(one[0]) == "SUBPATTERN" and not len(one[1][-1]))]
    if not told:
        return False
    operator, value = told[-1]
    match str(operator):
        case "SUBPATTERN":
            return _ends_apart(value[-1])
        case "BRANCH":
            return all(map(_ends_apart, value[1]))
        case "MAX_REPEAT" | "MIN_REPEAT":
            return value[0] > 0 and _ends_apart(value[2])
    return _is_apart(operator, value)


def _begins_apart(items: Sequence[tuple[Any, Any]]) -> bool:
    """Whether whatever a sequence matches begins with no letter, digit or underscore."""
    for operator, value in items:
        match str(operator):
            case "SUBPATTERN":
                return _begins_apart(value[-1])
            case "MAX_REPEAT" | "MIN_REPEAT":
                if not _begins_apart(value[2]):
                    return False
                if value[0] > 0:
                    return True
            case _:
                return _is_apart(operator, value)
    return False


def _is_apart(operator: Any, value: Any) -> bool:
    """Whether an item is one character that is no letter, digit or underscore."""
    match str(operator):
        case "LITERAL":
            return chr(value).translate(SPACES) == " "
        case "IN":
            return len(value) == 1 and str(value[0][1]) == "CATEGORY_NOT_WORD"
    return False


def _characters(items: Iterable[tuple[Any, Any]]) -> Texts | None:
    """Characters of a class that lists but a few."""
    found = set()
    for operator, value in items:
        if str(operator) == "LITERAL":
            found.add(chr(value))
        elif str(operator) == "RANGE" and value[1] - value[0] < 10:
            found.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return frozenset(found)


def _union(sets: Iterable[Texts | None]) -> Texts | None:
    joined: set[str] = set()
    for texts in sets:
        if texts is None:
            return None
        joined |= texts
    return frozenset(joined)


if __name__ == "__main__":
    main()
