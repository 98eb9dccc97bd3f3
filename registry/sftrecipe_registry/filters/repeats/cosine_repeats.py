"""Which of many unit vectors are near to another, exactly, by blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Ranks = NDArray[np.int64]

Same = Callable[[int, int], bool]
"""Whether the texts at two ranks say the same."""

_BLOCK = 1024
"""Vectors that are compared with those kept before at the same time."""
_TILE = 4096
"""Kept ones that they are compared with at the same time: 16 MB of products."""
_DOUBT = 1e-5
"""How far a product in single precision may be from the true one."""
_ROUNDING = 1e-6
"""Of vectors in single precision: a model gives one text others where it stands elsewhere in a
batch, on some processors."""


class Near(NamedTuple):
    """A vector that is near to one kept before it."""

    rank: int
    kept: int
    """The rank of the first of those."""
    cosine: float


def near_repeats(
    ranked: Vectors, at_least: float, fixed: int = 0, same: Same | None = None
) -> Iterator[list[Near]]:
    """Go through the vectors and keep each whose cosine to all kept before it is below `at_least`.

    Gives the others, a block at a time. The first `fixed` vectors are kept whatever they resemble.
    `same`: of two that are near, whether they say the same; one that does not counts as not near.
    Products near the limit are made anew in double precision, so that the outcome does not depend
    on the machine. Memory beside the vectors: 30 MB.
    """
    kept = np.arange(fixed)
    for start in range(fixed, len(ranked), _BLOCK):
        block = ranked[start : start + _BLOCK]
        if same is None:
            of = _first_near(block, ranked, kept, at_least)
        else:
            of = _first_same(block, ranked, kept, at_least, start, same)
        alike = _near(block, block, at_least)
        for at in np.flatnonzero(of < 0).tolist():
            earlier = np.flatnonzero(alike[at, :at] & (of[:at] < 0))
            if same is not None and len(earlier):
                earlier = earlier[[same(start + at, start + each) for each in earlier.tolist()]]
            if len(earlier):
                of[at] = start + int(earlier[0])
        kept = np.append(kept, start + np.flatnonzero(of < 0))
        near = np.flatnonzero(of >= 0)
        cosines = _exact(block[near], ranked[of[near]])
        ranks = (start + near).tolist()
        yield [*map(Near, ranks, of[near].tolist(), cosines.tolist())]


def _first_near(block: Vectors, ranked: Vectors, kept: Ranks, at_least: float) -> Ranks:
    """The rank of the first kept vector that each is near to; -1: none."""
    of = np.full(len(block), -1)
    for left in range(0, len(kept), _TILE):
        tile = kept[left : left + _TILE]
        near = _near(block, ranked[tile], at_least)
        new = (of < 0) & near.any(axis=1)
        of[new] = tile[near[new].argmax(axis=1)]
    return of


def _first_same(  # noqa: PLR0917
    block: Vectors, ranked: Vectors, kept: Ranks, at_least: float, start: int, same: Same
) -> Ranks:
    """The rank of the first kept vector that each is near to and the same as; -1: none."""
    of = np.full(len(block), -1)
    for left in range(0, len(kept), _TILE):
        tile = kept[left : left + _TILE]
        rows, columns = np.nonzero(_near(block, ranked[tile], at_least))
        for row, other in zip(rows.tolist(), tile[columns].tolist(), strict=True):
            if of[row] < 0 and same(start + row, other):
                of[row] = other
    return of


def _near(some: Vectors, others: Vectors, at_least: float) -> NDArray[np.bool_]:
    """Which pairs have a cosine of at least so much."""
    products = some @ others.T
    near: NDArray[np.bool_] = products >= at_least
    rows, columns = np.nonzero(np.abs(products - np.float32(at_least)) < _DOUBT)
    for at in range(0, len(rows), _TILE):
        row, column = rows[at : at + _TILE], columns[at : at + _TILE]
        near[row, column] = _exact(some[row], others[column]) >= at_least
    return near


def _exact(some: Vectors, others: Vectors) -> NDArray[np.float64]:
    """Cosines of pairs, in double precision; of vectors equal but for rounding 1."""
    cosines: NDArray[np.float64] = np.einsum("ij,ij->i", some, others, dtype=np.float64)
    cosines[cosines > 1 - _ROUNDING] = 1.0
    return cosines
