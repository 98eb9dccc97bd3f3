"""How much of an answer is neither of the question nor what refusals say themselves."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from operator import add

from sftrecipe_registry.filters.format.word_lists import word_list
from sftrecipe_registry.shared.text.scripts import UNSPACED

_WORDS = re.compile(r"[a-z]{3,}|\d+")
_RUNS = re.compile(rf"[{UNSPACED}]+")
_STEM = 5
"""Letters of an English word that tell it; of Chinese all pairs of characters are looked at."""
_FRESH = (0, 1, 2, 3, 5, 8, 12, 18, 27, 40)
_SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75)
_FRESH_MARKS = [f"fresh>{bound}" for bound in _FRESH]
_SHARE_MARKS = {
    name: [f"{name}>{share}" for share in _SHARES]
    for name in ("fresh", "of refusals", "of the question")
}
_GLANCE = 300
_LENGTHS = (60, 100, 150, 200, 300, 400, 550, 700)
_LENGTH_MARKS = [f"@length>{length}" for length in _LENGTHS]
_HELD_MARKS = [(held, f"@holds:{held}") for held in ("?", "'", ":", "\\", "—")]
_ANSWERS_LOOKED_AT = 700
"""Characters of an answer, and twice as many of a question."""


def said_by_refusals(language: str) -> frozenset[str]:
    """Stems that refusals of many questions have in common, learned from the training rows."""
    return word_list(f"refusals_say.{language}")


def stems(text: str) -> set[str]:
    """What a text speaks of: beginnings of its words without the commonest, pairs of characters."""
    text = text.lower()
    words = set(_WORDS.findall(text)) - word_list("said_everywhere")
    if text.isascii():
        return {word[:_STEM] for word in words}
    runs = _RUNS.findall(text) + [word for word in words if not word.isascii()]
    found = {word[:_STEM] for word in words if word.isascii()}
    for run in runs:
        found.update(map(add, run, run[1:]))
    return found


def at_a_glance(answer: str) -> tuple[set[str], list[str]]:
    """The stems of its beginning, its length and marks: what tells most answers from refusals."""
    start = answer[:_GLANCE]
    marks = _LENGTH_MARKS[: bisect_left(_LENGTHS, len(answer))]
    return stems(start), marks + [mark for held, mark in _HELD_MARKS if held in start]


def substance_marks(asked: str, answer: str, said: frozenset[str]) -> Iterator[str]:
    """How many stems are fresh, and which shares are fresh, of refusals and of the question."""
    spoken = stems(answer[:_ANSWERS_LOOKED_AT])
    question = stems(asked[: 2 * _ANSWERS_LOOKED_AT])
    fresh = len(spoken - question - said)
    size = len(spoken) or 1
    yield from _FRESH_MARKS[: bisect_left(_FRESH, fresh)]
    for marks, count in (
        (_SHARE_MARKS["fresh"], fresh),
        (_SHARE_MARKS["of refusals"], len(spoken & said)),
        (_SHARE_MARKS["of the question"], len(spoken & question)),
    ):
        yield from marks[: bisect_left(_SHARES, count / size)]
