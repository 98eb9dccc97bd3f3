"""Clusters of rows of the result that say nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import asked_text, shortened
from sftrecipe.store.sample_places import evenly

ALIKE = 0.6
"""Share of shingles that two rows have in common at least (Jaccard)."""
_MOST = 400
"""Rows that are compared: the page tells how many."""
_SHINGLE = 5
"""Characters of a shingle."""
_LONGEST = 2000
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_OFTEN = 32
"""A shingle of more rows than these is counted by a product of matrices."""
_BLOCK = 2048
"""Shingles of one such product."""
_CLUSTERS = 12
_SHOWN = 4
_TEXT = 240


@dataclass(frozen=True)
class Cluster:
    """Rows that are alike, directly or through one another."""

    rows: int
    likeness: float
    """The least Jaccard index of its linked pairs."""
    texts: list[str]


@dataclass(frozen=True)
class NearDuplicates:
    """The clusters of the sample, the largest first."""

    sampled: int
    rows: int
    """Rows of the sample that are in a cluster."""
    alike: float
    clusters: list[Cluster]


def near_duplicates(opened: OpenedRun) -> NearDuplicates | None:
    """The clusters by the questions' shingles, exactly; None without rows."""
    rows = [opened.sample[place] for place in evenly(len(opened.sample), _MOST)]
    if len(rows) < 2:
        return None
    likeness = _likeness([_shingles(asked_text(row)) for row in rows])
    linked = likeness >= ALIKE
    groups = [*_joined(linked)]
    clusters = sorted(
        (_cluster(rows, group, likeness[np.ix_(group, group)]) for group in groups),
        key=lambda each: -each.rows,
    )
    return NearDuplicates(len(rows), int(linked.any(axis=0).sum()), ALIKE, clusters[:_CLUSTERS])


def _shingles(text: str) -> Any:
    """Hashes of the shingles of a text, case and white space left out, each once."""
    plain = "".join(text.lower().split())[:_LONGEST]
    padded = plain.ljust(_SHINGLE, "\0") if plain else ""
    codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    hashes = np.zeros(max(0, len(codes) - _SHINGLE + 1), np.uint64)
    for place in range(_SHINGLE):
        hashes *= _FACTOR
        hashes += codes[place : place + len(hashes)]
        hashes ^= hashes >> np.uint64(29)
    hashes.sort()  # np.unique hashes: several times slower
    return hashes[np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)]]


def _likeness(sets: Sequence[Any]) -> Any:
    """The Jaccard index of every pair of sets; none of a set with itself."""
    sizes = np.array([len(each) for each in sets], dtype=np.float32)
    common = _common(sets)
    union = sizes[:, None] + sizes - common
    likeness = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    np.fill_diagonal(likeness, 0)
    return likeness


def _common(sets: Sequence[Any]) -> Any:
    """How many members every two sets have in common: frequent ones by a product of matrices,
    rare ones pair by pair."""
    count = len(sets)
    values = np.concatenate(sets)
    order = np.argsort(values, kind="stable")
    values = values[order]
    rows = np.repeat(np.arange(count), [len(each) for each in sets])[order]
    members = _numbered(values)
    frequent = np.bincount(members)[members] > _OFTEN
    common = _by_pairs(members[~frequent], rows[~frequent], count).astype(np.float32)
    common += common.T
    members, rows = _numbered(members[frequent]), rows[frequent]
    for start in range(0, len(rows) and int(members[-1]) + 1, _BLOCK):
        first, last = np.searchsorted(members, (start, start + _BLOCK))
        marks = np.zeros((count, _BLOCK), dtype=np.float32)
        marks[rows[first:last], members[first:last] - start] = 1
        common += marks @ marks.T
    return common


def _numbered(values: Any) -> Any:
    """Sorted values by the number of each among the different ones."""
    return np.cumsum(np.append(0, values[1:] != values[:-1])[: len(values)])


def _by_pairs(members: Any, rows: Any, count: int) -> Any:
    """For every two rows, the members that both hold; a member's rows stand in order."""
    found = np.zeros(count * count, dtype=np.int64)
    places = np.arange(len(members))
    for step in range(1, _OFTEN):
        places = places[: np.searchsorted(places, len(members) - step)]
        places = places[members[places] == members[places + step]]
        found += np.bincount(rows[places] * count + rows[places + step], minlength=count * count)
    return found.reshape(count, count)


def _joined(linked: Any) -> Iterator[list[int]]:
    """The rows that links join, directly or through one another, group by group."""
    left = linked.any(axis=0)
    while left.any():
        group = np.zeros(len(left), dtype=bool)
        new = group.copy()
        new[left.argmax()] = True
        while new.any():
            group |= new
            new = linked[new].any(axis=0) & ~group
        left &= ~group
        yield np.flatnonzero(group).tolist()


def _cluster(rows: Sequence[Record], group: list[int], likeness: Any) -> Cluster:
    least = float(likeness[likeness >= ALIKE].min())
    texts = [shortened(asked_text(rows[place]), _TEXT) for place in group[:_SHOWN]]
    return Cluster(len(group), round(least, 3), texts)
