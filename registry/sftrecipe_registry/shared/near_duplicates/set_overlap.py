"""Comparing pairs of sets, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.shingle_sets import HASH_BITS, ShingleSets

_WORDS = 16
"""64-bit words of a set's bitmap."""
_FIRST_WORDS = 4
"""Those that are looked at for all pairs, the others where these leave it open."""
_SETS = 512
"""Sets whose bitmaps are made at once."""
_VALUES = 1 << 18
_PAIRS = 1 << 64 - HASH_BITS
"""Values and pairs that are compared at once."""


class Overlaps:
    """Sets, by rank, and how similar two are to be."""

    def __init__(self, sets: ShingleSets, order: NDArray[np.int64], at_least: float) -> None:
        self._values = sets.values
        self._starts = sets.first[:-1][order]
        self._sizes = sets.sizes[order]
        self._at_least = at_least
        self._bitmaps = _bitmaps(sets)
        self._bitmap_of = (np.cumsum(sets.sizes > 0) - 1)[order]

    def similar(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The pairs that are similar enough, with their Jaccard similarity."""
        pairs = self.possible(pairs)
        total = self._sizes[pairs].sum(axis=0)
        common = self._common(pairs, total)
        values = common / np.maximum(total - common, 1)
        chosen = values >= self._at_least
        return pairs[:, chosen], values[chosen]

    def possible(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Without pairs whose sizes or bitmaps show that they are not.

        A bit stands for the parity of the shingles that fall on it: sets differ in no fewer
        shingles than their bitmaps in bits.
        """
        total, smaller = self._sizes[pairs].sum(axis=0), self._sizes[pairs].min(axis=0)
        most = total - 2 * (self._at_least / (1 + self._at_least) * total - 1e-6)
        chosen = (smaller > 0) & (total - 2 * smaller <= most)
        pairs, most = pairs[:, chosen], most[chosen]
        differing = np.zeros(pairs.shape[1], np.int64)
        for words in (slice(_FIRST_WORDS), slice(_FIRST_WORDS, None)):
            ones, others = self._bitmap_of[pairs]
            for word in self._bitmaps.T[words]:
                differing += np.bitwise_count(word[ones] ^ word[others])
            chosen = differing <= most
            pairs, most, differing = pairs[:, chosen], most[chosen], differing[chosen]
        return pairs

    def _common(self, pairs: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many shingles both sets have."""
        common = np.zeros(pairs.shape[1], np.int64)
        ends = np.cumsum(total)
        start = 0
        while start < len(common):
            done = ends[start - 1] if start else 0
            end = min(int(np.searchsorted(ends, done + _VALUES)) + 1, start + _PAIRS, len(common))
            common[start:end] = self._common_of(pairs[:, start:end])
            start = end
        return common

    def _common_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        count = pairs.shape[1]
        ranks = pairs.ravel()
        sizes = self._sizes[ranks]
        places = np.repeat(self._starts[ranks] - (np.cumsum(sizes) - sizes), sizes)
        places += np.arange(len(places))
        names = np.tile(np.arange(count, dtype=np.uint64), 2) << np.uint64(HASH_BITS)
        keys = self._values[places] | np.repeat(names, sizes)
        keys.sort()
        twice = keys[1:][keys[1:] == keys[:-1]] >> np.uint64(HASH_BITS)
        return np.bincount(twice.astype(np.intp), minlength=count)


def _bitmaps(sets: ShingleSets) -> NDArray[np.uint64]:
    """Of every set that is not empty, as rows of `_WORDS` numbers."""
    filled = sets.sizes.nonzero()[0]
    maps = np.zeros((len(filled), _WORDS), np.uint64)
    width = 64 * _WORDS
    for start in range(0, len(filled), _SETS):
        some = filled[start : start + _SETS]
        values = sets.values[sets.first[some[0]] : sets.first[some[-1] + 1]]
        bits = (values & np.uint64(width - 1)).astype(np.int64)
        bits += np.repeat(np.arange(len(some)) * width, sets.sizes[some])
        odd = np.bincount(bits, minlength=len(some) * width) & 1
        maps[start : start + _SETS] = (
            np.packbits(odd.astype(np.bool_)).view(np.uint64).reshape(-1, _WORDS)
        )
    return maps
