"""How far a figure would move on other rows of the same kind: 95 % confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sftrecipe_registry.judges.mean_interval import (
    ANY,
    Span,
    effective_rows,
    mean_ends,
    ratio_pulls,
)
from sftrecipe_registry.judges.share_interval import share_difference_ends, share_ends

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Parts = Sequence[tuple[float, float]]
"""A figure's parts, row by row: (amount, weight). The figure is the sum of the amounts over the sum
of the weights: a mean where each weight is 1. A row without a value is (0, 0)."""

SHARE = Span(0.0, 1.0)
"""Rows' values are 0 to 1; where all are the one or the other, the figure is a share."""
LOSS = Span(0.0)
"""Rows' values are 0 or more."""


class Estimate(NamedTuple):
    """A figure, and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def estimates(
    figures: Mapping[str, Parts],
    differences: Mapping[str, tuple[str, str]],
    spans: Mapping[str, Span],
) -> dict[str, Estimate]:
    """Every figure, and every difference of two of them, with its interval.

    A difference is paired: of the rows' own differences. `spans`: what a row's value can be, by
    figure; any number where none is named. A figure that no row has a value of is left out.
    How each is found: `share_interval` (shares and their differences), `mean_interval` (others).
    """
    known = {
        name: _Known.of(parts, spans.get(name, ANY))
        for name, parts in figures.items()
        if any(part[1] for part in parts)
    }
    found = {name: each.estimate() for name, each in known.items()}
    for name, (one, other) in differences.items():
        if one in known and other in known:
            found[name] = known[one].difference(known[other])
    return found


def share_estimate(hits: int, rows: int) -> Estimate:
    """A share of so many rows, one or more, with its interval."""
    return _estimate(hits / rows, share_ends(hits, rows))


def named_metrics(found: Mapping[str, Estimate]) -> dict[str, float]:
    """The figures as metrics: `NAME`, `NAME_low`, `NAME_high`."""
    return {
        f"{name}{end}": value
        for name, estimate in found.items()
        for end, value in zip(_ENDS, estimate, strict=True)
    }


def metric_names(figures: Sequence[str]) -> frozenset[str]:
    """The names that `named_metrics` gives them."""
    return frozenset(f"{name}{end}" for name in figures for end in _ENDS)


_ENDS = ("", "_low", "_high")


class _Known(NamedTuple):
    """A figure that some rows have a value of."""

    value: float
    amounts: Floats
    weights: Floats
    """Above 0 where the row has a value."""
    span: Span

    @classmethod
    def of(cls, parts: Parts, span: Span) -> _Known:
        import numpy as np  # noqa: PLC0415 - slow to import

        table = np.array(parts, np.float64)
        weight = math.fsum(table[:, 1])
        return cls(math.fsum(table[:, 0]) / weight, table[:, 0], table[:, 1], span)

    @property
    def is_share(self) -> bool:
        """Whether it is the share of the rows that something holds of."""
        return self.span == SHARE and all(
            bool(((each == 0) | (each == 1)).all()) for each in (self.amounts, self.weights)
        )

    def estimate(self) -> Estimate:
        rows = self.weights > 0
        if self.is_share:
            return _estimate(self.value, share_ends(self.amounts.sum(), int(rows.sum())))
        size, effective = abs(self.value), effective_rows(self.weights)
        return _mean(self.value, self._pulls(rows), self.span, size, effective)

    def difference(self, other: _Known) -> Estimate:
        """By how much it is above another figure of the same rows."""
        value = self.value - other.value
        paired = bool((self.weights == other.weights).all())
        if paired and self.is_share and other.is_share:
            alone = (self.amounts > other.amounts).sum(), (other.amounts > self.amounts).sum()
            return _estimate(value, share_difference_ends(*alone, int(self.weights.sum())))
        rows = (self.weights > 0) | (other.weights > 0)
        pulls = self._pulls(rows) - other._pulls(rows)
        span = Span(self.span.least - other.span.most, self.span.most - other.span.least)
        size = max(abs(self.value), abs(other.value))
        effective = min(effective_rows(self.weights), effective_rows(other.weights))
        return _mean(value, pulls, span, size, effective)

    def _pulls(self, rows: NDArray[np.bool_]) -> Floats:
        """By how much each of these rows pulls the figure."""
        import numpy as np  # noqa: PLC0415

        if (self.weights > 0).sum() < 2:
            return np.zeros(int(rows.sum()))
        return ratio_pulls(self.amounts[rows], self.weights[rows])


def _mean(value: float, pulls: Floats, span: Span, size: float, effective: Floats) -> Estimate:
    import numpy as np  # noqa: PLC0415

    ends = mean_ends(np.array(value), pulls, span, np.array(size or 1.0), effective)
    return _estimate(value, ends)


def _estimate(value: float, ends: tuple[Floats, Floats]) -> Estimate:
    low, high = (float(end) for end in ends)
    # The value itself is summed exactly: rounding must not put it beyond an end.
    return Estimate(value, min(low, value), max(high, value))
