"""Nearest neighbours among unit vectors, exact, by blocks."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.text.first_seen import DIGEST_BYTES

Vectors = NDArray[np.float32]

BLOCK = 1024
"""Vectors whose neighbours are looked for at the same time."""
_TILE = 4096
"""Vectors that they are compared with at the same time: 16 MB of products."""
_DOUBT = 1e-5
"""How far a product in single precision may be from the true one."""


class Neighbours(NamedTuple):
    """What is near to the vectors of a block, one entry each."""

    distance: NDArray[np.float64]
    """Squared Euclidean distance to the nearest other vector; 4 where there is no other."""
    near: NDArray[np.int64]
    """Others that are nearer than the threshold."""
    earlier: NDArray[np.int64]
    """Those of them that stand before it."""
    first: NDArray[np.int64]
    """The place of the first of them; -1: there is none."""


class NearestNeighbours:
    """Looks for neighbours among all of some unit vectors.

    Products are made in single precision; whatever is near the threshold, and every nearest
    distance, is computed anew in double precision, so that equal vectors are at distance 0 and the
    outcome does not depend on the machine. Memory: the vectors and 20 MB.
    """

    def __init__(self, unit: Vectors, threshold: float) -> None:
        self._unit = unit
        self._threshold = threshold
        self._equal = Counter(map(_digest, unit))

    def of_block(self, start: int) -> Neighbours:
        """Neighbours of the vectors from `start` on, `BLOCK` of them at most."""
        block = self._unit[start : start + BLOCK]
        size = len(block)
        best, nearest = np.full(size, -2.0, np.float32), np.full(size, -1)
        count, earlier, first = (np.zeros(size, np.int64) for _ in range(3))
        first -= 1
        for left in range(0, len(self._unit), _TILE):
            products = block @ self._unit[left : left + _TILE].T
            own = _own_places(start, left, products.shape)
            products[own] = -2
            at = products.argmax(axis=1)
            value = products[np.arange(size), at]
            closer = value > best
            best[closer], nearest[closer] = value[closer], left + at[closer]
            mask = self._near(products, start, left)
            hits = np.count_nonzero(mask, axis=1)
            count += hits
            new = (hits > 0) & (first < 0)
            first[new] = left + mask[new].argmax(axis=1)
            earlier += _before(mask, hits, start, left)
        return Neighbours(self._distances(block, nearest), count, earlier, first)

    def _near(self, products: Vectors, start: int, left: int) -> NDArray[np.bool_]:
        """Which pairs are nearer than the threshold: ‖a-b‖² = 2 - 2ab."""
        least = 1 - self._threshold / 2
        near: NDArray[np.bool_] = products > least
        doubtful = np.abs(products - np.float32(least)) < _DOUBT
        rows, columns = np.nonzero(doubtful)
        for at in range(0, len(rows), _TILE):
            row, column = rows[at : at + _TILE], columns[at : at + _TILE]
            exact = _squared(self._unit[start + row], self._unit[left + column])
            near[row, column] = exact < self._threshold
        return near

    def _distances(self, block: Vectors, nearest: NDArray[np.int64]) -> NDArray[np.float64]:
        if len(self._unit) == 1:
            return np.full(1, 4.0)
        distances = _squared(block, self._unit[nearest])
        distances[[self._equal[_digest(vector)] > 1 for vector in block]] = 0.0
        return distances


def _before(
    mask: NDArray[np.bool_], hits: NDArray[np.int64], start: int, left: int
) -> NDArray[np.int64]:
    """How many of the near ones stand before each vector."""
    size, width = mask.shape
    if left + width <= start:
        return hits
    if left >= start + size:
        return np.zeros(size, np.int64)
    before = np.arange(left, left + width) < np.arange(start, start + size)[:, None]
    counted: NDArray[np.int64] = np.count_nonzero(mask & before, axis=1)
    return counted


def _own_places(
    start: int, left: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a tile holds the products of vectors with themselves."""
    rows = np.arange(max(start, left), min(start + shape[0], left + shape[1]))
    return rows - start, rows - left


def _squared(some: Vectors, others: Vectors) -> NDArray[np.float64]:
    """Squared distances of pairs, in double precision."""
    difference = some.astype(np.float64) - others
    distances: NDArray[np.float64] = np.einsum("ij,ij->i", difference, difference)
    return distances


def _digest(vector: Vectors) -> bytes:
    return blake2b(vector.tobytes(), digest_size=DIGEST_BYTES).digest()
