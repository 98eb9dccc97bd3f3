"""Clusters of rows of the result that say nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import asked_text, shortened
from sftrecipe.store.sample_places import evenly

ALIKE = 0.6
"""Share of shingles that two rows have in common at least (Jaccard)."""
_MOST = 800
_SHINGLE = 5
"""Characters of a shingle."""
_LONGEST = 2000
_HASHES = 48
_CANDIDATE = 0.4
"""Estimated likeness from which a pair is looked at."""
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
    """The clusters by MinHash on the questions, every pair verified; None without rows."""
    rows = [opened.sample[place] for place in evenly(len(opened.sample), _MOST)]
    if len(rows) < 2:
        return None
    shingled = [_shingles(asked_text(row)) for row in rows]
    pairs = _alike(shingled)
    groups = _joined(pairs)
    clusters = sorted(
        (_cluster(rows, group, pairs) for group in groups), key=lambda each: -each.rows
    )
    inside = sum(map(len, groups))
    return NearDuplicates(len(rows), inside, ALIKE, clusters[:_CLUSTERS])


def _shingles(text: str) -> Any:
    """Hashes of the shingles of a text, case and white space left out, each once."""
    plain = "".join(text.lower().split())[:_LONGEST]
    last = max(len(plain) - _SHINGLE + 1, bool(plain))
    parts = {crc32(plain[start : start + _SHINGLE].encode("utf-8", "replace"))
             for start in range(last)}  # fmt: skip
    return np.fromiter(parts, dtype=np.uint64, count=len(parts))


def _alike(shingled: Sequence[Any]) -> dict[tuple[int, int], float]:
    """Pairs whose Jaccard index is high enough, among those that MinHash finds."""
    signatures = _signatures(shingled)
    sets = [set(each.tolist()) for each in shingled]
    found = {}
    for first, signature in enumerate(signatures):
        likeness = (signatures[first + 1 :] == signature).mean(axis=1)
        for second in (np.flatnonzero(likeness >= _CANDIDATE) + first + 1).tolist():
            union = len(sets[first] | sets[second])
            jaccard = len(sets[first] & sets[second]) / union if union else 0.0
            if jaccard >= ALIKE:
                found[first, second] = jaccard
    return found


def _signatures(shingled: Sequence[Any]) -> Any:
    """MinHash: the least of every hash over a text's shingles."""
    draws = np.random.default_rng(1)
    factors = draws.integers(1, 2**31, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = draws.integers(0, 2**62, _HASHES, dtype=np.uint64)
    rows = np.zeros((len(shingled), _HASHES), dtype=np.uint64)
    for row, shingles in enumerate(shingled):
        if len(shingles):
            mixed = shingles[:, None] * (factors * np.uint64(0x9E3779B97F4A7C15)) + shifts
            rows[row] = (mixed >> np.uint64(16)).min(axis=0)
    return rows


def _joined(pairs: dict[tuple[int, int], float]) -> list[list[int]]:
    """The rows that pairs link, group by group."""
    group_of: dict[int, list[int]] = {}
    for first, second in pairs:
        one, other = group_of.setdefault(first, [first]), group_of.setdefault(second, [second])
        if one is not other:
            one += other
            group_of.update((row, one) for row in other)
    return [sorted(group) for group in {id(each): each for each in group_of.values()}.values()]


def _cluster(
    rows: Sequence[Record], group: list[int], pairs: dict[tuple[int, int], float]
) -> Cluster:
    inside = set(group)
    least = min(value for (first, _), value in pairs.items() if first in inside)
    texts = [shortened(asked_text(rows[place]), _TEXT) for place in group[:_SHOWN]]
    return Cluster(len(group), round(least, 3), texts)
