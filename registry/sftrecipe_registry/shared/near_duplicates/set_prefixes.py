"""Prefixes of sets: the rarest shingles, of which similar sets share one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.shingle_sets import HASH_BITS, ShingleSets

_SETS = 1 << 16
_VALUES = 1 << 18
"""Values that are sorted at once."""
_LEVEL_BITS = 8
_CUT_BITS = 64 - 16 - _LEVEL_BITS
"""Of a shingle's hash, within a prefix: two shingles that agree cost a comparison, nothing else."""


class Entries(NamedTuple):
    """Shingles of prefixes with the sets that hold them, sorted by shingle, then by rank."""

    groups: NDArray[np.uint64]
    """The shingle's hash."""
    ranks: NDArray[np.int64]
    """The set's place in the order."""

    def those(self, chosen: NDArray[np.bool_]) -> Entries:
        """Some of them."""
        return Entries(self.groups[chosen], self.ranks[chosen])


def prefix_entries(sets: ShingleSets, order: NDArray[np.int64], at_least: float) -> Entries:
    """All prefixes: of n shingles the n - ⌈tn⌉ + 1 rarest, without those that no other set has.

    Two sets with a Jaccard similarity of t or more share one of them, in any order of all
    shingles; rare ones first makes for few candidates. A set of which too many shingles stand
    nowhere else has no entries.
    """
    prefixes = _Prefixes(sets, order, at_least)
    keys = np.concatenate([np.zeros(0, np.uint64), *map(prefixes.keys, _spans(sets))])
    keys.sort()
    ranks = keys & ((np.uint64(1) << prefixes.rank_bits) - np.uint64(1))
    keys >>= prefixes.rank_bits
    return Entries(keys, ranks.astype(np.int64))


class _Prefixes:
    """Finds the prefixes of some sets at a time."""

    def __init__(self, sets: ShingleSets, order: NDArray[np.int64], at_least: float) -> None:
        self.rank_bits = np.uint64(max(len(order) - 1, 1).bit_length())
        self._sets = sets
        self._at_least = at_least
        self._common = _commonness(sets.values)
        self._ranks = np.empty(len(order), np.uint64)
        self._ranks[order] = np.arange(len(order), dtype=np.uint64)

    def keys(self, some: slice) -> NDArray[np.uint64]:
        """Shingle and rank in one number, of every entry."""
        first = self._sets.first[some.start : some.stop + 1]
        sizes = np.diff(first)
        values = self._sets.values[first[0] : first[-1]]
        levels = self._common[_places(values, len(self._common))]
        shared = np.diff(np.append(0, np.cumsum(levels > 1))[first - first[0]])
        least = np.ceil(sizes * self._at_least - 1e-9).astype(np.int64)
        likely = (sizes > 0) & (shared >= least)
        chosen = np.repeat(likely, sizes)
        sizes, least = sizes[likely], least[likely]
        keys = _rarest(values[chosen], levels[chosen], sizes, sizes - least + 1)
        ranks = np.repeat(self._ranks[some][likely], sizes)
        level = (keys >> np.uint64(_CUT_BITS)) & np.uint64(255)
        wanted = level > 1
        keys = keys[wanted] << np.uint64(16 + _LEVEL_BITS)
        cut: NDArray[np.uint64] = keys >> self.rank_bits << self.rank_bits | ranks[wanted]
        return cut


def _rarest(
    values: NDArray[np.uint64],
    levels: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """Set, level and shingle in one number, each set sorted; 0 beyond its prefix."""
    keys = np.repeat(np.arange(len(sizes), dtype=np.uint64) << np.uint64(48), sizes)
    keys |= levels.astype(np.uint64) << np.uint64(_CUT_BITS)
    keys |= values >> np.uint64(HASH_BITS - _CUT_BITS)
    keys.sort()
    place = np.arange(len(keys)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    keys[place >= np.repeat(lengths, sizes)] = 0
    return keys


def _commonness(values: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many sets hold a shingle, 255 at most; shingles that share a place count together."""
    bits = min(max(2 * len(values), 1 << 16).bit_length(), 28)
    common = np.zeros(1 << bits, np.uint8)
    for start in range(0, len(values), _VALUES):
        places = np.sort(_places(values[start : start + _VALUES], len(common)))
        firsts = np.append(True, places[1:] != places[:-1]).nonzero()[0]
        counts = np.diff(firsts, append=len(places)) + common[places[firsts]]
        common[places[firsts]] = np.minimum(counts, 255)
    return common


def _places(values: NDArray[np.uint64], size: int) -> NDArray[np.intp]:
    places: NDArray[np.intp] = (values >> np.uint64(HASH_BITS - size.bit_length() + 1)).astype(
        np.intp
    )
    return places


def _spans(sets: ShingleSets) -> Iterator[slice]:
    """Runs of sets that are worked on together."""
    start, count = 0, len(sets.sizes)
    while start < count:
        end = int(np.searchsorted(sets.first, sets.first[start] + _VALUES))
        end = min(max(end, start + 1), start + _SETS, count)
        yield slice(start, end)
        start = end
