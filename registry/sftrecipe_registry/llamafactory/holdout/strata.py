"""Drawing whole groups so that every stratum gives its part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import NamedTuple

Rows = Mapping[int, int]
"""Rows by stratum."""


class Group(NamedTuple):
    """Rows that stay on one side."""

    name: int
    """The least of its questions' draws: the same whatever the order of the rows."""
    rows: Rows


def parts(rows: Sequence[int], wish: float, tie: Callable[[int], int]) -> list[int]:
    """Rows to hold out of every stratum: its share, rounded by largest remainders."""
    total = sum(rows)
    share = wish if wish < 1 else min(1.0, int(wish) / max(total, 1))
    given = [floor(share * count + 1e-9) for count in rows]
    rest = floor(share * total + 0.5) - sum(given)
    order = sorted(range(len(rows)), key=lambda each: (given[each] - share * rows[each], tie(each)))
    for each in order[:rest]:
        given[each] += 1
    return given


def held_groups(
    groups: Sequence[Group], wanted: Sequence[int], draw: Callable[[int], int]
) -> list[int]:
    """The places of the groups that are held out: those with the smallest draws that fit.

    Then, the smallest first, those that bring their strata nearer to what is wanted. No stratum
    of groups that are all its own misses its part by as much as one of them.
    """
    left = list(wanted)
    held, passed = [], []
    for place in sorted(range(len(groups)), key=lambda each: (draw(groups[each].name), each)):
        rows = groups[place].rows
        if all(count <= left[stratum] for stratum, count in rows.items()):
            held.append(place)
            for stratum, count in rows.items():
                left[stratum] -= count
        else:
            passed.append(place)
    for place in sorted(passed, key=lambda each: sum(groups[each].rows.values())):
        rows = groups[place].rows
        if sum(abs(left[each] - count) - abs(left[each]) for each, count in rows.items()) < 0:
            held.append(place)
            for stratum, count in rows.items():
                left[stratum] -= count
    return held
