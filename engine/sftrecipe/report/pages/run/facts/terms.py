"""Texts as weighted terms: words, and of Chinese and Japanese pairs of characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import regex

_RUN = regex.compile(r"(?P<east>[\p{Han}\p{Hiragana}\p{Katakana}]+)|[\p{L}\p{M}']{2,}")
_LONGEST = 4000
"""Characters of a text that are looked at."""
_TERMS = 1200
_FREQUENT = 0.3
"""A term that stands in more of the texts tells no topic."""
_FUNCTION_WORDS = """
a about an and any are as at be been between but by can could did do does during for from give had
has have how i if in into is it its like may me more most my not of on or our out over please should
so some such than that the their them there these they this to up us use using was we were what when
where which while who why will with would write you your
"""
_SILENT = frozenset(_FUNCTION_WORDS.split())


class Weights(NamedTuple):
    """TF-IDF of texts: one row of unit length a text (all zero without a known term)."""

    matrix: Any
    terms: list[str]


def tf_idf(texts: Sequence[str]) -> Weights:
    """Weights of the terms that stand in two texts at least, and not in too many."""
    counted = [Counter(terms(text)) for text in texts]
    spread = Counter(term for counts in counted for term in counts)
    known = [
        (-texts_with, term)
        for term, texts_with in spread.items()
        if 2 <= texts_with <= max(2, _FREQUENT * len(texts)) and term not in _SILENT
    ]
    vocabulary = [term for _, term in sorted(known)[:_TERMS]]
    places = {term: place for place, term in enumerate(vocabulary)}
    matrix = np.zeros((len(texts), len(vocabulary)))
    for row, counts in enumerate(counted):
        for term, count in counts.items():
            if (place := places.get(term)) is not None:
                matrix[row, place] = 1 + np.log(count)
    if vocabulary:
        matrix *= np.log((1 + len(texts)) / np.array([1 + spread[term] for term in vocabulary])) + 1
    return Weights(unit_rows(matrix), vocabulary)


def unit_rows(matrix: Any) -> Any:
    """The rows at unit length; rows of zeros stay."""
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norms == 0, 1, norms)


def terms(text: str) -> list[str]:
    """The terms of a text, in order."""
    found: list[str] = []
    for match in _RUN.finditer(text[:_LONGEST].lower()):
        if match["east"]:
            found += map("".join, pairwise(match[0]))
        else:
            found.append(match[0])
    return found
