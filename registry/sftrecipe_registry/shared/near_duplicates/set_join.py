"""Which of many sets repeat another: an exact join by Jaccard similarity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.set_families import Family, FamilyOverlaps, Same
from sftrecipe_registry.shared.near_duplicates.set_prefixes import Entries, prefix_entries
from sftrecipe_registry.shared.near_duplicates.shingle_sets import ShingleSets

Ranks = NDArray[np.int64]

_ROUNDS = 16
_FEW = 16
"""Pairs an entry: where there are no more, all are compared."""
_PAIRS = 1 << 18
"""Pairs that are made at once."""
_WAITING = 1 << 20
"""Pairs that wait, to be compared once though they were made several times."""


class Repeats(NamedTuple):
    """What every set repeats."""

    of: Ranks
    """The kept set that it is similar to; -1 for a kept one."""
    similarity: NDArray[np.float64]
    """Jaccard similarity to that set; 0 for a kept one."""


def find_repeats(
    sets: ShingleSets,
    at_least: float,
    order: Ranks | None = None,
    fixed: int = 0,
    *,
    others: Sequence[Family] = (),
    same: Same | None = None,
) -> Repeats:
    """Go through the sets and keep each whose similarity to all kept before it is below `at_least`.

    `order`: which sets come first; left out: as they stand. The first `fixed` of the order are kept
    whatever they resemble. Empty sets are kept and resemble nothing. Exact: candidates are the
    pairs that share a shingle of their prefixes, and each is compared.

    `others`: sets of other shingles of the same texts, each with its limit: similar is who is so by
    any of them. `same`: of two that are similar, whether they are the same.

    Source: prefix filtering (Chaudhuri et al. 2006; Bayardo et al. 2007, AllPairs) with a bitmap
    filter (Sandes et al. 2020).
    """
    order = np.arange(len(sets.sizes)) if order is None else order
    families = (Family(sets, at_least), *others)
    join = _Join(FamilyOverlaps(families, order, same), len(order), fixed)
    join.run(_entries(families, order))
    of = np.full(len(order), -1)
    similarity = np.zeros(len(order))
    found = join.of >= 0
    of[order[found]] = order[join.of[found]]
    similarity[order] = join.similarity
    return Repeats(of, similarity)


def _entries(families: Sequence[Family], order: Ranks) -> Entries:
    """The prefixes of all families; shingles of two that have one number cost a comparison."""
    every = [prefix_entries(sets, order, at_least) for sets, at_least in families]
    if len(every) == 1:
        return every[0]
    groups, ranks = (np.concatenate(parts) for parts in zip(*every, strict=True))
    sorting = np.lexsort((ranks, groups))
    return Entries(groups[sorting], ranks[sorting])


class _Join:
    """The state of one join; sets go by their rank in the order."""

    def __init__(self, overlaps: FamilyOverlaps, size: int, fixed: int) -> None:
        self.of = np.full(size, -1)
        self.similarity = np.zeros(size)
        self._overlaps = overlaps
        self._fixed = fixed

    def run(self, entries: Entries) -> None:
        """Rounds spare large groups of similar sets most comparisons; then come all pairs."""
        entries = self._useful(entries)
        for _ in range(_ROUNDS):
            if _after(entries.groups).sum() <= _FEW * len(entries.groups):
                break
            entries = self._useful(self._settle_leaders(entries))
        self._settle_rest(entries)

    def _useful(self, entries: Entries) -> Entries:
        """Without shingles of one set, and of fixed sets, which are not compared."""
        groups, ranks = entries
        last = np.append(groups[1:] != groups[:-1], True)[: len(groups)]
        sizes = np.diff(last.nonzero()[0], prepend=-1)
        useful = (sizes > 1) & (ranks[last] >= self._fixed)
        return entries.those(np.repeat(useful, sizes))

    def _settle_leaders(self, entries: Entries) -> Entries:
        """Sets that come first wherever they stand are kept; whatever repeats them goes."""
        groups, ranks = entries
        first = np.append(True, groups[1:] != groups[:-1])
        size = len(self.of)
        leads = np.bincount(ranks[first], minlength=size)
        settled = leads == np.bincount(ranks, minlength=size)
        settled[: self._fixed] = True
        leaders = np.repeat(ranks[first], np.diff(first.nonzero()[0], append=len(ranks)))
        led = settled[leaders]
        compared = led & ~first & (ranks >= self._fixed)
        self._reject(
            *self._overlaps.similar(_distinct(leaders[compared], ranks[compared], size=size))
        )
        return entries.those((self.of[ranks] < 0) & ~(led & first))

    def _reject(self, pairs: Ranks, values: NDArray[np.float64]) -> None:
        """Reject each pair's second set for the most similar first one, the earliest of equals."""
        order = np.lexsort((pairs[0], -values, pairs[1]))
        repeated, rejected, values = pairs[0][order], pairs[1][order], values[order]
        best = np.append(True, rejected[1:] != rejected[:-1])[: len(rejected)]
        self.of[rejected[best]] = repeated[best]
        self.similarity[rejected[best]] = values[best]

    def _settle_rest(self, entries: Entries) -> None:
        """Compare all pairs, then go through the sets in order."""
        found = [*self._similar_pairs(entries)]
        if not found:
            return
        pairs = np.concatenate([each[0] for each in found], axis=1)
        values = np.concatenate([each[1] for each in found])
        order = np.lexsort((pairs[0], -values, pairs[1]))
        for place in order.tolist():
            repeated, rejected = pairs[:, place].tolist()
            if self.of[repeated] < 0 and self.of[rejected] < 0:
                self.of[rejected] = repeated
                self.similarity[rejected] = values[place]

    def _similar_pairs(self, entries: Entries) -> Iterator[tuple[Ranks, NDArray[np.float64]]]:
        """All similar pairs, some more than once; each is compared seldom more than once."""
        waiting: list[Ranks] = []
        for pairs in self._all_pairs(entries):
            waiting.append(self._overlaps.possible(pairs))
            if sum(each.shape[1] for each in waiting) > _WAITING:
                yield self._overlaps.similar(_distinct(*np.hstack(waiting), size=len(self.of)))
                waiting = []
        if waiting:
            yield self._overlaps.similar(_distinct(*np.hstack(waiting), size=len(self.of)))

    def _all_pairs(self, entries: Entries) -> Iterator[Ranks]:
        """Pairs of sets with a common shingle, some at once; the second is not fixed."""
        groups, ranks = entries
        after = _after(groups)
        parts = np.cumsum(after) // _PAIRS
        bounds = np.append(np.diff(parts, prepend=-1).nonzero()[0], len(parts))
        for start, end in pairwise(bounds.tolist()):
            counts = after[start:end]
            firsts = np.repeat(ranks[start:end], counts)
            steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            seconds = ranks[np.repeat(np.arange(start, end) + 1, counts) + steps]
            compared = seconds >= self._fixed
            yield _distinct(firsts[compared], seconds[compared], size=len(self.of))


def _after(groups: NDArray[np.uint64]) -> Ranks:
    """How many entries of its group stand after each."""
    last = np.append(groups[1:] != groups[:-1], True)[: len(groups)].nonzero()[0]
    return np.repeat(last, np.diff(last, prepend=-1)) - np.arange(len(groups))


def _distinct(firsts: Ranks, seconds: Ranks, *, size: int) -> Ranks:
    """The pairs, each once, as two rows."""
    keys = firsts * size + seconds
    keys.sort()  # np.unique hashes: several times slower
    keys = keys[np.diff(keys, prepend=-1) != 0]
    return np.stack([keys // size, keys % size])
