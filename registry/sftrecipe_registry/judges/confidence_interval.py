"""How far a figure would move on other rows of the same kind: bootstrap confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Parts = Sequence[tuple[float, float]]
"""A figure's parts, row by row: (amount, weight). The figure is the sum of the amounts over the sum
of the weights: a mean where each weight is 1. A row without a value is (0, 0)."""

RESAMPLES = 2000
LEVEL = 0.95
_BLOCK = 1 << 20
"""Drawn rows that are held at the same time."""


class Estimate(NamedTuple):
    """A figure, and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


def estimates(
    figures: Mapping[str, Parts], differences: Mapping[str, tuple[str, str]], seed: int
) -> dict[str, Estimate]:
    """Every figure, and every difference of two of them, with the percentile bootstrap's interval.

    All are measured on the same 2,000 draws of as many rows as there are, with replacement: so a
    difference is paired. A figure that no row has a value of is left out. Equal seeds give equal
    intervals.
    Source: Efron 1979, Bootstrap Methods; Koehn 2004 for paired differences.
    """
    known = {name: parts for name, parts in figures.items() if any(part[1] for part in parts)}
    if not known:
        return {}
    drawn = dict(zip(known, _drawn_ratios(list(known.values()), seed), strict=True))
    found = {name: _estimate(_ratio(parts), drawn[name]) for name, parts in known.items()}
    for name, (one, other) in differences.items():
        if one in found and other in found:
            difference = found[one].value - found[other].value
            found[name] = _estimate(difference, drawn[one] - drawn[other])
    return found


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


def _ratio(parts: Parts) -> float:
    return math.fsum(amount for amount, _ in parts) / math.fsum(weight for _, weight in parts)


def _drawn_ratios(figures: Sequence[Parts], seed: int) -> NDArray[np.float64]:
    """Every figure on every draw."""
    import numpy as np  # noqa: PLC0415 - slow to import

    parts = np.array(figures, np.float64)
    rows = parts.shape[1]
    columns = parts.transpose(1, 0, 2).reshape(rows, -1)
    random = np.random.default_rng(seed)
    sums = np.empty((RESAMPLES, columns.shape[1]))
    step = max(_BLOCK // rows, 1)
    for begin in range(0, RESAMPLES, step):
        draws = min(step, RESAMPLES - begin)
        places = random.integers(rows, size=(draws, rows)) + np.arange(draws)[:, None] * rows
        times = np.bincount(places.ravel(), minlength=draws * rows).reshape(draws, rows)
        sums[begin : begin + draws] = times.astype(np.float64) @ columns
    totals = sums.reshape(RESAMPLES, -1, 2).transpose(1, 0, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = totals[..., 0] / totals[..., 1]
    return ratios


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    import numpy as np  # noqa: PLC0415

    # A draw may hold none of the few rows that have a value: it says nothing.
    said = drawn[np.isfinite(drawn)]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(said, (tail, 1 - tail))
    return Estimate(value, float(low), float(high))
