"""A small linear model whose features are phrases, read from a table that a person can read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from itertools import repeat
from pathlib import Path

_SCALE = 50.0
"""Weights stand in the tables as whole numbers, so many to one."""


class PhraseWeights:
    """A logistic regression: weights of phrases, shared by their number, and of marks (`@…`).

    Whole numbers as in the table: their sum is exact in any order.
    """

    def __init__(self, weights: dict[str, int], bias: int) -> None:
        self._weights = weights
        self._bias = bias

    def probability(self, phrases: Iterable[str], marks: Iterable[str]) -> float:
        """The probability that the text is what the model looks for."""
        of = self._weights.get
        distinct = phrases if isinstance(phrases, set) else set(phrases)
        total = sum(map(of, distinct, repeat(0))) / math.sqrt(len(distinct) or 1)
        return _logistic((total + self._bias + sum(map(of, marks, repeat(0)))) / _SCALE)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


@cache
def phrase_weights(name: str) -> PhraseWeights:
    """The model of a table beside this file; read when the first text is judged."""
    weights = {}
    for line in (Path(__file__).parent / "weights" / name).read_text("utf-8").splitlines():
        number, _, phrase = line.partition("\t")
        weights[phrase] = int(number)
    return PhraseWeights(weights, weights.pop("@bias", 0))


def table(weights: dict[str, float]) -> str:
    """Weights as such a table; those that come to nothing are left out."""
    rounded = {phrase: round(weight * _SCALE) for phrase, weight in weights.items()}
    return "".join(
        f"{rounded[phrase]}\t{phrase}\n" for phrase in sorted(rounded) if rounded[phrase]
    )
