"""A logistic regression on sparse features, fitted with numpy alone, the same every time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np


class Example(NamedTuple):
    """One text to learn from."""

    phrases: frozenset[str]
    marks: frozenset[str]
    label: bool
    weight: float = 1.0


class Matrix(NamedTuple):
    """Examples as rows of a sparse matrix."""

    columns: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    size: tuple[int, int]

    def times(self, vector: np.ndarray) -> np.ndarray:
        """The product with a vector of a weight a feature."""
        return np.bincount(self.rows, self.values * vector[self.columns], self.size[0])

    def transposed_times(self, vector: np.ndarray) -> np.ndarray:
        """The product of the transposed matrix with a vector of a number an example."""
        return np.bincount(self.columns, self.values * vector[self.rows], self.size[1])


def vocabulary(examples: Sequence[Example], least: int) -> dict[str, int]:
    """The phrases that stand in so many examples, and all marks, each with its column."""
    counts = Counter(phrase for example in examples for phrase in example.phrases)
    names = sorted(phrase for phrase, count in counts.items() if count >= least)
    marks = sorted({mark for example in examples for mark in example.marks})
    return {name: at for at, name in enumerate([*names, *marks])}


def matrix(examples: Sequence[Example], names: dict[str, int]) -> Matrix:
    """The examples as the model sees them: phrases shared by their number, marks whole."""
    columns, values, rows = [], [], []
    for row, example in enumerate(examples):
        share = 1 / math.sqrt(len(example.phrases) or 1)
        for phrase in example.phrases:
            if (at := names.get(phrase)) is not None:
                columns.append(at), values.append(share), rows.append(row)
        for mark in example.marks:
            if (at := names.get(mark)) is not None:
                columns.append(at), values.append(1.0), rows.append(row)
    return Matrix(
        np.array(columns, dtype=np.int64),
        np.array(values),
        np.array(rows, dtype=np.int64),
        (len(examples), len(names)),
    )


def fit(
    examples: Sequence[Example], least: int, ridge: float, mark_ridge: float, steps: int = 250
) -> dict[str, float]:
    """The weights of the phrases and marks, and `@bias`: Adam on the whole set, no chance in it."""
    names = vocabulary(examples, least)
    made = matrix(examples, names)
    wanted = np.array([example.label for example in examples], dtype=float)
    weight = np.array([example.weight for example in examples])
    weight = weight / weight.sum()
    penalty = np.array(
        [mark_ridge if name[0] == "@" and len(name) > 1 else ridge for name in names]
    )
    vector = np.zeros(len(names) + 1)
    first, second = np.zeros_like(vector), np.zeros_like(vector)
    for step in range(1, steps + 1):
        chance = 1 / (1 + np.exp(-np.clip(made.times(vector[:-1]) + vector[-1], -30, 30)))
        error = weight * (chance - wanted)
        slope = np.append(made.transposed_times(error) + penalty * vector[:-1], error.sum())
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        rate = 0.3 * (1 - step / (steps + 1))
        vector -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    weights = {name: float(vector[at]) for name, at in names.items()}
    return {**weights, "@bias": float(vector[-1])}


def chances(weights: dict[str, float], examples: Iterable[Example]) -> list[float]:
    """The probability of each example by these weights."""
    found = []
    for example in examples:
        share = 1 / math.sqrt(len(example.phrases) or 1)
        total = share * sum(weights.get(phrase, 0.0) for phrase in example.phrases)
        total += weights["@bias"] + sum(weights.get(mark, 0.0) for mark in example.marks)
        found.append(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))))
    return found
