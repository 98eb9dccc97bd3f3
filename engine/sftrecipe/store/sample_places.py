"""Choosing places from all over a file, in few of its row groups."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_GROUPS = 64
"""Row groups that are read for one sample."""


def evenly(count: int, most: int) -> list[int]:
    """At most so many of the places 0 … count - 1, evenly spaced, ascending."""
    taken = min(count, most)
    return [number * count // taken for number in range(taken)]


def spread_over(places: Any, ends: Sequence[int], most: int) -> list[int]:
    """Indices into `places`, ascending row numbers of a file whose row groups end at `ends`."""
    if len(places) <= most:
        return list(range(len(places)))
    numbers = _Numbers(places)
    edges = [bisect_left(numbers, end) for end in (0, *ends)]
    held = [(low, high) for low, high in pairwise(edges) if low < high]
    groups = [held[index] for index in evenly(len(held), _GROUPS)]
    among = [index for low, high in groups for index in range(low, high)]
    return [among[index] for index in evenly(len(among), most)]


class _Numbers(Sequence[int]):
    """An Arrow array as a sequence, looked at where it is needed."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, place: Any) -> Any:
        return self._array[place].as_py()
