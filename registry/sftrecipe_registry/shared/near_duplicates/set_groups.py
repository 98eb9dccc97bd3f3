"""Groups of sets that are similar, each to at least one other of its group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.set_overlap import Overlaps
from sftrecipe_registry.shared.near_duplicates.set_prefixes import Entries, prefix_entries
from sftrecipe_registry.shared.near_duplicates.shingle_sets import ShingleSets

Labels = NDArray[np.int64]

_ROUNDS = 16
_FEW = 16
"""Pairs an entry: where there are no more, all are compared."""
_PAIRS = 1 << 18
"""Pairs that are made at once."""


def joined_groups(sets: ShingleSets, at_least: float, labels: Labels) -> Labels:
    """The labels, with those of sets made one that have a similarity of `at_least` or more.

    A label is the lowest place of its group; it is the same whatever the order of comparing. Exact,
    as `find_repeats`; sets that are in one group already are not compared.
    """
    order = np.arange(len(sets.sizes))
    overlaps = Overlaps(sets, order, at_least)
    entries = _distinct(prefix_entries(sets, order, at_least))
    for _ in range(_ROUNDS):
        entries = _unsettled(entries, labels)
        if _after(entries.groups).sum() <= _FEW * len(entries.groups):
            break
        first = np.append(True, entries.groups[1:] != entries.groups[:-1])
        sizes = np.diff(first.nonzero()[0], append=len(first))
        leaders = np.repeat(entries.ranks[first], sizes)
        labels = _compared(leaders[~first], entries.ranks[~first], overlaps, labels)
        entries = entries.those(~first)
    for firsts, seconds in _all_pairs(_unsettled(entries, labels)):
        labels = _compared(firsts, seconds, overlaps, labels)
    return labels


def merged(labels: Labels, firsts: Labels, seconds: Labels) -> Labels:
    """The labels, with those of each pair of places made one."""
    while True:
        one, other = labels[firsts], labels[seconds]
        if (one == other).all():
            return labels
        parents = np.arange(len(labels))
        np.minimum.at(parents, np.maximum(one, other), np.minimum(one, other))
        while not (parents == parents[parents]).all():
            parents = parents[parents]
        labels = parents[labels]


def _compared(firsts: Labels, seconds: Labels, overlaps: Overlaps, labels: Labels) -> Labels:
    apart = labels[firsts] != labels[seconds]
    keys = np.unique(firsts[apart] * len(labels) + seconds[apart])
    pairs, _ = overlaps.similar(np.stack([keys // len(labels), keys % len(labels)]))
    return merged(labels, pairs[0], pairs[1])


def _distinct(entries: Entries) -> Entries:
    """Without what stands twice: values of a set that differ in bits that no prefix has."""
    groups, ranks = entries
    new = np.ones(len(groups), np.bool_)
    new[1:] = (groups[1:] != groups[:-1]) | (ranks[1:] != ranks[:-1])
    return entries.those(new)


def _unsettled(entries: Entries, labels: Labels) -> Entries:
    """Without shingles whose sets are all in one group already."""
    groups, ranks = entries
    if not len(groups):
        return entries
    first = np.append(True, groups[1:] != groups[:-1]).nonzero()[0]
    lowest = np.minimum.reduceat(labels[ranks], first)
    several = np.maximum.reduceat(labels[ranks], first) != lowest
    return entries.those(np.repeat(several, np.diff(first, append=len(groups))))


def _all_pairs(entries: Entries) -> Iterator[tuple[Labels, Labels]]:
    """Pairs of sets with a common shingle, some at once."""
    after = _after(entries.groups)
    parts = np.cumsum(after) // _PAIRS
    bounds = np.append(np.diff(parts, prepend=-1).nonzero()[0], len(parts))
    for start, end in pairwise(bounds.tolist()):
        counts = after[start:end]
        steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        seconds = entries.ranks[np.repeat(np.arange(start, end) + 1, counts) + steps]
        yield np.repeat(entries.ranks[start:end], counts), seconds


def _after(groups: NDArray[np.uint64]) -> Labels:
    """How many entries of its group stand after each."""
    last = np.append(groups[1:] != groups[:-1], True)[: len(groups)].nonzero()[0]
    return np.repeat(last, np.diff(last, prepend=-1)) - np.arange(len(groups))
