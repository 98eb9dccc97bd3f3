"""The rows on which variants are compared, and what each of them adds to a figure's error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Row = tuple[str, int]
"""A judged row: its id, and which of the rows with this id it is."""
Values = Mapping[Row, tuple[float, float]]
"""What each row adds to a figure: (value, weight). The figure is the weighted mean."""

FEWEST_ROWS = 2
"""One row alone tells nothing of others."""


@dataclass(frozen=True)
class SharedRows:
    """The figures of all trainings of all variants, on the rows that all of them share."""

    figures: tuple[Floats, ...]
    """Of each variant, its trainings' figures."""
    pulls: tuple[Floats, ...]
    """Of each variant, by training and row, how far the figure moves where the row is left out:
    the sum of their squares is the figure's variance (the jackknife: Efron and Stein 1981)."""
    parts: Floats
    """What part of the whole weight each row has, on the mean of all trainings."""
    lost: int
    """Rows that some trainings have a value of, and others not."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Trainings of each variant."""
        return tuple(len(each) for each in self.figures)


def judged_rows(trainings: Sequence[Sequence[Values]]) -> SharedRows | None:
    """By variant and training, the values; None where they share fewer than two rows."""
    judged = [set(values) for each in trainings for values in each]
    common = sorted(set.intersection(*judged))
    common = [row for row in common if _has_weight(row, trainings)]
    if len(common) < FEWEST_ROWS:
        return None
    tables = [_table(each, common) for each in trainings]
    parts = [weights / weights.sum(axis=1, keepdims=True) for _, weights in tables]
    figures = [(values * part).sum(axis=1) for (values, _), part in zip(tables, parts, strict=True)]
    pulls = [
        _pulls(values, part, figure)
        for (values, _), part, figure in zip(tables, parts, figures, strict=True)
    ]
    return SharedRows(
        figures=tuple(figures),
        pulls=tuple(pulls),
        parts=np.concatenate(parts).mean(axis=0),
        lost=len(set.union(*judged)) - len(common),
    )


def _pulls(values: Floats, parts: Floats, figures: Floats) -> Floats:
    rows = values.shape[1]
    rest = np.maximum(1 - parts, np.finfo(np.float64).eps)
    pulls: Floats = parts / rest * (values - figures[:, None]) * np.sqrt((rows - 1) / rows)
    return pulls


def _has_weight(row: Row, trainings: Sequence[Sequence[Values]]) -> bool:
    return all(values[row][1] > 0 for each in trainings for values in each)


def _table(trainings: Sequence[Values], rows: Sequence[Row]) -> tuple[Floats, Floats]:
    """By training and row, the values and the weights."""
    pairs = np.array([[values[row] for row in rows] for values in trainings], dtype=np.float64)
    return pairs[..., 0], pairs[..., 1]
