"""A map of topics: the result's rows on a plane, near where they are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sftrecipe.calls.ledger.counted_calls import read_vectors
from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.terms import Weights, tf_idf, unit_rows
from sftrecipe.report.pages.run.facts.texts import asked_text, shortened
from sftrecipe.store.sample_places import evenly

_MOST = 400
_FEWEST = 8
_DIMENSIONS = 16
"""Components of the decomposition that topics are found in."""
_ITERATIONS = 4
_TOPICS = 7
_ROUNDS = 25
_LABEL_TERMS = 3
_TEXT = 90


@dataclass(frozen=True)
class Point:
    """A row on the map, 0 to 1 each way."""

    id: str
    x: float
    y: float
    topic: int
    text: str


@dataclass(frozen=True)
class Topic:
    """Rows that lie together."""

    terms: list[str]
    """What sets them apart, the strongest first."""
    rows: int
    x: float
    y: float
    """Where its middle is."""


@dataclass(frozen=True)
class TopicMap:
    """The sampled rows on a plane."""

    by: str
    """`embeddings` of a step, or `terms`."""
    points: list[Point]
    topics: list[Topic]


def topic_map(opened: OpenedRun) -> TopicMap | None:
    """The map; None where there are too few rows with words to draw one.

    By singular value decomposition, of the rows' embeddings where a step asked for them, else of
    TF-IDF; topics by k-means on its first components. The same rows give the same map.
    """
    rows = [opened.sample[place] for place in evenly(len(opened.sample), _MOST)]
    weights = tf_idf([asked_text(row) for row in rows])
    vectors = _embeddings(opened, rows)
    by = "terms" if vectors is None else "embeddings"
    matrix = weights.matrix if vectors is None else vectors
    told = np.flatnonzero(np.any(matrix != 0, axis=1))
    if len(told) < _FEWEST:
        return None
    rows = [rows[place] for place in told]
    matrix, weights = matrix[told], Weights(weights.matrix[told], weights.terms)
    placed = _components(matrix)
    topic_of = _nearest_centres(unit_rows(placed), min(_TOPICS, len(rows) // _FEWEST + 1))
    plane = _plane(placed)
    points = [
        Point(row.id, round(x, 4), round(y, 4), topic, shortened(asked_text(row).strip(), _TEXT))
        for row, (x, y), topic in zip(rows, plane.tolist(), topic_of.tolist(), strict=True)
    ]
    topics = [_topic(weights, plane, topic_of == topic) for topic in range(max(topic_of) + 1)]
    return TopicMap(by, points, topics)


def _embeddings(opened: OpenedRun, rows: Sequence[Record]) -> Any:
    """The rows' embeddings of one size that the ledger holds; None unless every row has one."""
    keys = {key for row in rows for key in row.calls}
    vectors = read_vectors(opened.ledger, keys) if keys else {}
    found = [next((vectors[key] for key in row.calls if vectors.get(key)), None) for row in rows]
    sizes = {len(vector) for vector in found if vector is not None}
    if None in found or len(sizes) != 1:
        return None
    return unit_rows(np.array(found))


def _components(matrix: Any) -> Any:
    """The rows in the first principal components; each one's sign is that of its largest entry.

    By subspace iteration from a fixed start (Halko 2011, arXiv 0909.4061, algorithm 4.4).
    """
    centred = matrix - matrix.mean(axis=0)
    basis = np.random.default_rng(1).standard_normal((len(matrix), 2 * _DIMENSIONS))
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(centred @ (centred.T @ basis))[0]
    turned, sizes, _ = np.linalg.svd(basis.T @ centred, full_matrices=False)
    placed = (basis @ turned * sizes)[:, :_DIMENSIONS]
    largest = np.abs(placed).argmax(axis=0)
    signs = np.sign(placed[largest, np.arange(placed.shape[1])])
    return placed * np.where(signs == 0, 1, signs)


def _nearest_centres(points: Any, count: int) -> Any:
    """k-means that begins with points far from one another; topics numbered by size."""
    centres = [points[np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1))]]
    while len(centres) < count:
        away = np.min([np.linalg.norm(points - centre, axis=1) for centre in centres], axis=0)
        centres.append(points[away.argmax()])
    found = np.array(centres)
    nearest = np.zeros(len(points), dtype=int)
    for _ in range(_ROUNDS):
        nearest = np.linalg.norm(points[:, None] - found[None], axis=2).argmin(axis=1)
        for number in range(count):
            if np.any(nearest == number):
                found[number] = points[nearest == number].mean(axis=0)
    sizes = np.bincount(nearest, minlength=count)
    order = [number for number in np.argsort(-sizes, kind="stable") if sizes[number]]
    renamed = {int(number): place for place, number in enumerate(order)}
    return np.array([renamed[int(number)] for number in nearest])


def _plane(placed: Any) -> Any:
    """The first two components, spread over the unit square half by value and half by rank."""
    plane = np.zeros((len(placed), 2))
    for axis in range(min(2, placed.shape[1])):
        values = placed[:, axis]
        span = np.ptp(values) or 1.0
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        plane[:, axis] = 0.5 * (values - values.min()) / span + 0.5 * ranks / (len(values) - 1)
    return plane


def _topic(weights: Weights, plane: Any, members: Any) -> Topic:
    x, y = plane[members].mean(axis=0).tolist()
    chosen: list[str] = []
    if weights.terms:
        apart = weights.matrix[members].mean(axis=0) - weights.matrix.mean(axis=0)
        best = np.argsort(-apart, kind="stable")[:_LABEL_TERMS]
        chosen = [weights.terms[place] for place in best if apart[place] > 0]
    return Topic(chosen, int(members.sum()), round(x, 4), round(y, 4))
