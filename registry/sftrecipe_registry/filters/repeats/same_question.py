"""Whether a row asks a benchmark's question in other words: by numbers, answers and vectors."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sftrecipe_registry.filters.repeats.benchmark_items import Item
from sftrecipe_registry.filters.repeats.plain_numbers import plain_numbers
from sftrecipe_registry.filters.repeats.right_answers import gives
from sftrecipe_registry.filters.repeats.same_meaning import SameMeaning
from sftrecipe_registry.shared.meaning.lexicon import english
from sftrecipe_registry.shared.text.scripts import has_unspaced

_BY_WORDS = 0.75
"""Cosine from which on questions of one language are compared word by word."""
_TRANSLATED = 0.62
"""Cosine from which on a question may be a translation, if its answer is too."""
_ALL_ALIKE = 0.8
"""The same where nothing is known of the answers."""
_BOTH_ALIKE = 1.0
"""Cosine of the questions and half of that of the answers, together."""
_NUMBERS = 2
"""Different numbers that two questions have in common, and one other at most: they tell enough."""
_FIGURES = re.compile(r"(?<![a-z\d.])\d+(?:\.\d+)?(?:/\d+)?(?![a-z])|(?<![a-z\d.])\d+(?=th\b)")
_CLAUSE = re.compile(r"[\s\w(（-]*\w")


class Pair(NamedTuple):
    """A row and the question that it may ask."""

    item: Item
    asked: str
    answer: str
    """What the row answers; empty where it does not."""
    cosine: float
    """Of what both ask."""


class SameQuestion:
    """Judges pairs, with the packaged model or without it."""

    def __init__(self, *, packaged: bool) -> None:
        self._means = SameMeaning(packaged=packaged)

    def __call__(self, pair: Pair) -> bool | None:
        """None where the vectors of the answers are to tell."""
        question, asked = plain_numbers(pair.item.text), plain_numbers(pair.asked)
        mine, theirs = _figures(question), _figures(asked)
        translated = _language(question) != _language(asked)
        item = pair.item
        given = gives(item.answers, item.options, pair.answer, translated=translated)
        if given is False or (mine - theirs and theirs - mine):
            return False
        if given or (len(mine & theirs) >= _NUMBERS and len(mine ^ theirs) <= 1):
            return True
        if translated:
            return None if pair.cosine >= _TRANSLATED else False
        return pair.cosine >= _BY_WORDS and self._means(question, asked, pair.cosine)


def _language(text: str) -> str:
    """Roughly: of English texts a fifth are words that it cannot do without."""
    if has_unspaced(text):
        return "han"
    words = text.split()
    light = english().light
    return "en" if 5 * sum(word in light for word in words) >= len(words) else "other"


class AnswerTexts(NamedTuple):
    """What is compared of the answers of a pair that may be a translation."""

    given: str
    choices: tuple[str, ...]
    right: frozenset[int]
    """Places of what is right among the choices."""


def answer_texts(pair: Pair) -> AnswerTexts:
    """The row's answer up to its first mark, and what there was to choose from."""
    clause = _CLAUSE.match(pair.answer.strip())
    choices = tuple(dict.fromkeys([*pair.item.options, *pair.item.answers]))
    right = frozenset(at for at, each in enumerate(choices) if each in pair.item.answers)
    return AnswerTexts(clause[0] if clause else "", choices, right)


def is_translated(pair: Pair, texts: AnswerTexts, cosines: list[float]) -> bool:
    """Whether the row's answer is nearest to what is right, and near; `cosines` are those of the
    choices, empty where there is no answer to compare."""
    if not texts.right or not cosines:
        return pair.cosine >= _ALL_ALIKE
    best = max(range(len(cosines)), key=cosines.__getitem__)
    if best not in texts.right:
        return False
    return len(texts.choices) > len(texts.right) or (pair.cosine + cosines[best] / 2 >= _BOTH_ALIKE)


@lru_cache(1 << 14)
def _figures(text: str) -> frozenset[str]:
    """The numbers of a text, but for ones, which may be articles."""
    return frozenset(_FIGURES.findall(text)) - {"1"}
