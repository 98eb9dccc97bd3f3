"""k-means, the same in every run: seeded k-means++, then Lloyd's rounds, by blocks of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

BLOCK = 4096
"""Vectors whose distances to all centres are held at the same time."""
ROUNDS = 50
"""Rounds at most; it ends before where no vector changes its cluster."""
_SAMPLE = 20_000
"""Vectors among which k-means++ looks for the first centres."""


class Clusters(NamedTuple):
    """Vectors by their nearest centres."""

    labels: NDArray[np.int64]
    """The cluster of each vector."""
    distances: NDArray[np.float32]
    """Squared Euclidean distance of each vector to its centre."""
    centres: Vectors


def kmeans(vectors: Vectors, count: int, seed: int) -> Clusters:
    """`count` clusters at most (one a vector, where there are fewer vectors).

    An empty cluster takes the vector that lies farthest from its centre. Equal distances go to the
    first centre. Source: Arthur and Vassilvitskii 2007, k-means++; Lloyd 1982.
    """
    count = min(count, len(vectors))
    centres = _first_centres(vectors, count, np.random.default_rng(seed))
    labels = np.full(len(vectors), -1, np.int64)
    distances = np.zeros(len(vectors), np.float32)
    for _ in range(ROUNDS):
        before = labels
        labels, distances = _nearest(vectors, centres)
        if np.array_equal(labels, before):
            break
        centres = _means(vectors, labels, distances, count)
    return Clusters(labels, distances, centres)


def _first_centres(vectors: Vectors, count: int, random: np.random.Generator) -> Vectors:
    """k-means++: each next centre is drawn by its squared distance to those before."""
    if len(vectors) > _SAMPLE:
        places = np.sort(random.choice(len(vectors), max(_SAMPLE, count), replace=False))
        vectors = vectors[places]
    chosen = [int(random.integers(len(vectors)))] if count else []
    nearest = np.full(len(vectors), np.inf)
    while len(chosen) < count:
        difference = vectors - vectors[chosen[-1]]
        nearest = np.minimum(nearest, np.einsum("ij,ij->i", difference, difference))
        total = float(nearest.sum())
        if total > 0:
            drawn = np.searchsorted(np.cumsum(nearest), random.random() * total, side="right")
            chosen.append(min(int(drawn), len(vectors) - 1))
        else:  # all others equal one that is chosen
            chosen.append(int(random.integers(len(vectors))))
    return vectors[chosen].copy()


def _nearest(vectors: Vectors, centres: Vectors) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    labels = np.empty(len(vectors), np.int64)
    distances = np.empty(len(vectors), np.float32)
    sizes = np.einsum("ij,ij->i", centres, centres)
    for start, block in _blocks(vectors):
        far = sizes - 2 * (block @ centres.T)
        found = far.argmin(axis=1)
        least = far[np.arange(len(block)), found] + np.einsum("ij,ij->i", block, block)
        labels[start : start + len(block)] = found
        distances[start : start + len(block)] = np.maximum(least, 0)
    return labels, distances


def _means(
    vectors: Vectors, labels: NDArray[np.int64], distances: NDArray[np.float32], count: int
) -> Vectors:
    sums = np.zeros((count, vectors.shape[1]), np.float64)
    for start, block in _blocks(vectors):
        own = labels[start : start + len(block)]
        order = np.argsort(own, kind="stable")
        found, first = np.unique(own[order], return_index=True)
        sums[found] += np.add.reduceat(block[order].astype(np.float64), first, axis=0)
    members = np.bincount(labels, minlength=count)
    empty = np.flatnonzero(members == 0)
    centres: Vectors = (sums / np.maximum(members, 1)[:, None]).astype(np.float32)
    farthest = np.argsort(-distances, kind="stable")[: len(empty)]
    centres[empty] = vectors[farthest]
    return centres


def _blocks(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    for start in range(0, len(vectors), BLOCK):
        yield start, vectors[start : start + BLOCK]
