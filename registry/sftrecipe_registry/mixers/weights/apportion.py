"""Whole numbers of rows in given ratios, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor


def shares_of(weights: Mapping[str, float]) -> dict[str, Fraction]:
    """The weights (> 0) over their sum, exact for the decimals they were written as, by name."""
    exact = {name: Fraction(repr(weights[name])) for name in sorted(weights)}
    whole = sum(exact.values(), Fraction(0))
    return {name: weight / whole for name, weight in exact.items()}


def apportion(shares: Mapping[str, Fraction], total: int) -> dict[str, int]:
    """`total` rows by largest remainders (Hamilton): each the share rounded down or up.

    Equal remainders go to the larger share, then to the name that comes first.
    """
    quotas = {name: share * total for name, share in shares.items()}
    counts = {name: floor(quota) for name, quota in quotas.items()}
    order = sorted(quotas, key=lambda name: (counts[name] - quotas[name], -shares[name], name))
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def largest_total(shares: Mapping[str, Fraction], available: Mapping[str, int]) -> int:
    """The most rows at which no share asks for more than there is."""
    return floor(min(available[name] / share for name, share in shares.items()))
