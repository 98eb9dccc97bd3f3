"""Sets of several kinds of shingles of the same texts: words, characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.set_overlap import Overlaps
from sftrecipe_registry.shared.near_duplicates.shingle_sets import ShingleSets

Pairs = NDArray[np.int64]
Same = Callable[[int, int], bool]
"""Whether the texts at two places say the same."""


class Family(NamedTuple):
    """The sets of one kind of shingles; a text that has none has an empty one."""

    sets: ShingleSets
    at_least: float
    """Similarity from which on two are similar."""


class FamilyOverlaps:
    """Which pairs of texts, by rank, are similar by any family, and the same."""

    def __init__(self, families: Sequence[Family], order: Pairs, same: Same | None) -> None:
        self._every = [Overlaps(sets, order, at_least) for sets, at_least in families]
        self._order = order
        self._same = same

    def possible(self, pairs: Pairs) -> Pairs:
        """Without pairs that sizes or bitmaps show to be unlike."""
        found = [each.possible(pairs) for each in self._every]
        return found[0] if len(found) == 1 else _once(np.hstack(found), len(self._order))

    def similar(self, pairs: Pairs) -> tuple[Pairs, NDArray[np.float64]]:
        """The pairs that are similar and the same, with the largest similarity."""
        found = [each.similar(pairs) for each in self._every]
        pairs, values = found[0] if len(found) == 1 else _largest(found, len(self._order))
        if self._same is None:
            return pairs, values
        places = self._order[pairs].T.tolist()
        chosen = np.fromiter((self._same(*pair) for pair in places), np.bool_, len(places))
        return pairs[:, chosen], values[chosen]


def _once(pairs: Pairs, size: int) -> Pairs:
    keys = pairs[0] * size + pairs[1]
    keys.sort()  # np.unique hashes: several times slower
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return np.stack([keys // size, keys % size])


def _largest(
    found: Sequence[tuple[Pairs, NDArray[np.float64]]], size: int
) -> tuple[Pairs, NDArray[np.float64]]:
    """Every pair once, with the largest of its values."""
    keys = np.concatenate([pairs[0] * size + pairs[1] for pairs, _ in found])
    values = np.concatenate([each for _, each in found])
    order = np.lexsort((-values, keys))
    keys, values = keys[order], values[order]
    first = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
    return np.stack([keys[first] // size, keys[first] % size]), values[first]
