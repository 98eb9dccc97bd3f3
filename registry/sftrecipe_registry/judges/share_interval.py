"""Confidence intervals of shares, and of differences of two shares on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

_TAIL = 0.025
_HALVINGS = 50
"""Of the span in which an end is sought: to 1e-15."""
_FEW_SHARE, _FEW_DIFFERENCE = 3, 2
"""Where no more rows than these go another way than the others, score intervals are too narrow."""


def share_ends(hits: ArrayLike, rows: int) -> tuple[Floats, Floats]:
    """The ends of the 95 % interval of a share, of `hits` of so many rows; arrays of any shape.

    Wilson's; where all but three rows or fewer agree, the wider end of that and of the mid-P
    interval. For every share and from 5 rows on it covers in 92 % of draws or more (Wilson alone in
    83 %), and in more than 97 % only where rows are few or nearly all alike.
    Source: Wilson 1927; mid-P: Lancaster 1961, Agresti and Gottard 2007; how both err: Brown, Cai
    and DasGupta 2001, Interval Estimation for a Binomial Proportion, section 3.
    """
    import numpy as np  # noqa: PLC0415 - slow to import

    found = np.asarray(hits, np.float64)
    low, high = _wilson(found, rows)
    wide_low, wide_high = _mid_p_low(found, rows), 1 - _mid_p_low(rows - found, rows)
    nearly = np.minimum(found, rows - found) <= _FEW_SHARE
    return (
        np.where(nearly, np.minimum(low, wide_low), low),
        np.where(nearly, np.maximum(high, wide_high), high),
    )


def share_difference_ends(
    first_alone: ArrayLike, other_alone: ArrayLike, rows: int
) -> tuple[Floats, Floats]:
    """The ends of the 95 % interval of one share minus another on the same rows.

    `first_alone` rows count in the first share and not in the other, `other_alone` the other way
    round; arrays of one shape. Tango's score interval; where all but two rows or fewer go the one
    way, the wider end of that and of Bonett and Price's.
    Source: Tango 1998, Equivalence test and confidence interval for the difference in proportions
    for the paired-sample design; Bonett and Price 2012, Adjusted Wald intervals.
    """
    import numpy as np  # noqa: PLC0415

    one, other = np.asarray(first_alone, np.float64), np.asarray(other_alone, np.float64)
    low, high = -_score_end(other, one, rows), _score_end(one, other, rows)
    wide_low, wide_high = _bonett_price(one, other, rows)
    nearly = rows - np.maximum(one, other) <= _FEW_DIFFERENCE
    return (
        np.where(nearly, np.minimum(low, wide_low), low),
        np.where(nearly, np.maximum(high, wide_high), high),
    )


def share_reach(rows: int) -> tuple[float, float]:
    """The lower end of a share that all rows count in, and the upper end of one that none does."""
    low, _ = share_ends(rows, rows)
    _, high = share_ends(0, rows)
    return float(low), float(high)


def share_difference_reach(rows: int) -> tuple[float, float]:
    """The lower end where every row counts in the first share alone, and the upper end where every
    row counts in the other alone."""
    low, _ = share_difference_ends(rows, 0, rows)
    _, high = share_difference_ends(0, rows, rows)
    return float(low), float(high)


def _normal_quantile() -> float:
    from scipy.special import ndtri  # noqa: PLC0415 - slow to import

    return float(ndtri(1 - _TAIL))


def _wilson(hits: Floats, rows: int) -> tuple[Floats, Floats]:
    import numpy as np  # noqa: PLC0415

    z = _normal_quantile()
    share, grown = hits / rows, 1 + z * z / rows
    middle = (share + z * z / (2 * rows)) / grown
    reach = z / grown * np.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


def _mid_p_low(hits: Floats, rows: int) -> Floats:
    """The share at which as many hits or more, those just as many counted half, are as rare as the
    tail; 0 where there are none."""
    import numpy as np  # noqa: PLC0415
    from scipy.special import betainc  # noqa: PLC0415

    def is_rare(share: Floats) -> Truths:
        as_many = np.where(hits > 0, betainc(np.maximum(hits, 1), rows - hits + 1, share), 1.0)
        more = np.where(hits < rows, betainc(hits + 1, np.maximum(rows - hits, 1), share), 0.0)
        return np.asarray((as_many + more) / 2 < _TAIL)

    found = _crossing(is_rare, np.zeros_like(hits), np.ones_like(hits))
    return np.where(hits > 0, found, 0.0)


def _score_end(one: Floats, other: Floats, rows: int) -> Floats:
    """The largest difference that the score test does not refuse: its upper end."""
    import numpy as np  # noqa: PLC0415

    z = _normal_quantile()

    def is_kept(difference: Floats) -> Truths:
        short = rows * difference - (one - other)
        half = (2 * rows - one + other) * difference - one - other
        root = np.sqrt(np.maximum(half**2 + 8 * rows * other * difference * (1 - difference), 0))
        other_share = (root - half) / (4 * rows)
        variance = rows * (2 * other_share + difference * (1 - difference))
        kept: Truths = short**2 <= z * z * variance
        return kept

    return _crossing(is_kept, (one - other) / rows, np.ones_like(one))


def _bonett_price(one: Floats, other: Floats, rows: int) -> tuple[Floats, Floats]:
    import numpy as np  # noqa: PLC0415

    more, fewer = (one + 1) / (rows + 2), (other + 1) / (rows + 2)
    difference = more - fewer
    reach = _normal_quantile() * np.sqrt((more + fewer - difference**2) / (rows + 2))
    return np.maximum(difference - reach, -1.0), np.minimum(difference + reach, 1.0)


def _crossing(is_below: Callable[[Floats], Truths], low: Floats, high: Floats) -> Floats:
    """Where a condition that holds at `low` ceases to hold."""
    import numpy as np  # noqa: PLC0415

    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = is_below(middle)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
