"""Choosing rows that stand for all others: facility location, greedily, in little memory."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Numbers = NDArray[np.float64]
_BLOCK = 1 << 23
"""Similarities that are held at the same time: 64 MB."""


class Representatives(NamedTuple):
    """Who is chosen, and how well every row is represented."""

    places: list[int]
    """In the order in which they were chosen, the most representative first."""
    nearest: NDArray[np.intp]
    """Every row's representative."""
    similarity: Numbers
    """Every row's similarity to it."""


def representatives(vectors: Vectors, count: int) -> Representatives:
    """Choose `count` rows so that the sum of all rows' similarities to their nearest is large.

    The similarity is exp(-distance / dimension), as submodlib has it. Greedy, which is within
    1 - 1/e of the best (Nemhauser et al. 1978), and lazy (Minoux 1978): a gain is counted again
    only where its old value is still the largest. Equal gains: the first row. Similarities are
    counted when they are needed, never all at once.
    """
    rows = len(vectors)
    similarity, nearest = np.zeros(rows), np.zeros(rows, np.intp)
    places: list[int] = []
    norms = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    gains = [(-gain, place) for place, gain in enumerate(_first_gains(vectors, norms))]
    heapq.heapify(gains)
    while gains and len(places) < count:
        _, place = heapq.heappop(gains)
        column = _similarities(vectors, norms, place, place + 1)[0]
        gain = float(np.maximum(column - similarity, 0).sum())
        if places and gains and (-gain, place) > gains[0]:
            heapq.heappush(gains, (-gain, place))
            continue
        better = column > similarity
        nearest[better] = place
        similarity = np.maximum(similarity, column)
        places.append(place)
    return Representatives(places, nearest, similarity)


def _first_gains(vectors: Vectors, norms: Numbers) -> list[float]:
    """Every row's sum of similarities to all."""
    step = max(_BLOCK // max(len(vectors), 1), 1)
    sums: list[float] = []
    for start in range(0, len(vectors), step):
        block = _similarities(vectors, norms, start, min(start + step, len(vectors)))
        sums += block.sum(1).tolist()
    return sums


def _similarities(vectors: Vectors, norms: Numbers, start: int, end: int) -> Numbers:
    """Of some rows to all rows."""
    squares = norms[start:end, None] + norms - 2 * (vectors[start:end] @ vectors.T)
    similar: Numbers = np.exp(-np.sqrt(np.maximum(squares, 0)) / vectors.shape[1])
    return similar
