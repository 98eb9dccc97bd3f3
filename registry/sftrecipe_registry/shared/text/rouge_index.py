"""Finding the nearest of many texts by ROUGE-L F1, exactly and fast."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from sftrecipe_registry.shared.text.rouge import f_measure

Scalar = TypeVar("Scalar", bound=np.generic)

DENSE_AT = 32
"""A token that stands in one of so many texts gets a column of its own."""

FEW = 16
"""Lists that are compared one by one, the best bound first."""
MANY = 128
"""Lists that are compared in one call after those."""

LARGEST_CODE = 0x10FFFF
SLACK = 1 - 1e-6
"""Bounds are 32-bit: what comes so near to them is compared exactly."""


class Nearest(NamedTuple):
    """The most similar text of an index."""

    value: float
    """ROUGE-L F1, equal to rouge_score's to the last bit."""
    place: int
    """Its place in the index, the first of several that are equally near; -1 when all have 0."""


NOTHING = Nearest(0.0, -1)


class RougeIndex:
    """Token lists, with for every token the lists that hold it.

    A common subsequence is no longer than the number of common tokens. Counting those, for all
    lists at once, bounds every F1 from above; subsequences are measured from the best bound down,
    until no bound exceeds the best F1 found. Memory: about 8 bytes a token, and 4 a list for each
    frequent token.
    """

    def __init__(self, tells: Callable[[str], bool] | None = None) -> None:
        """Takes which tokens tell what a list is about, for `above`; left out: all."""
        self._tells = tells
        self._telling: dict[int, bool] = {}
        self._tellings: NDArray[np.int32] = np.zeros(1024, np.int32)
        self._asked: tuple[list[int], NDArray[np.float32]] = [], np.zeros(0, np.float32)
        self._code_of: dict[str, int] = {}
        self._lists: list[str | list[int]] = []
        self._lengths: NDArray[np.float32] = np.zeros(1024, np.float32)
        self._holders: dict[tuple[int, int], array[int]] = {}
        self._columns: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self._lists)

    def add(self, tokens: Sequence[str]) -> None:
        """Put a list of at least one token at the end."""
        place = len(self._lists)
        codes = self._codes(tokens)
        if place == len(self._lengths):
            self._grow()
        self._lists.append(_compact(codes))
        self._lengths[place] = len(codes)
        self._tellings[place] = len(self._told(codes))
        self._asked = [], self._asked[1]
        for key in _occurrences(codes):
            column = self._columns.get(key)
            if column is not None:
                column[place] = 1
                continue
            holders = self._holders.setdefault(key, array("i"))
            holders.append(place)
            if len(holders) * DENSE_AT > len(self._lengths):
                column = self._columns[key] = np.zeros(len(self._lengths), np.uint8)
                column[self._holders.pop(key)] = 1

    def nearest(self, tokens: Sequence[str]) -> Nearest:
        """The list with the largest ROUGE-L F1 to these tokens."""
        if not tokens or not self._lists:
            return NOTHING
        codes = self._codes(tokens)
        bounds = self._bounds(codes)
        self._asked = codes, bounds
        query = _compact(codes)
        first = int(bounds.argmax())
        best = Nearest(self._f1(query, first), first) if bounds[first] else NOTHING
        near = (bounds >= max(best.value * SLACK, 1e-12)).nonzero()[0]
        near_bounds = bounds[near]
        order = np.argsort(-near_bounds, kind="stable")
        places, sorted_bounds = near[order], near_bounds[order]
        for place, bound in zip(places[:FEW].tolist(), sorted_bounds[:FEW].tolist(), strict=True):
            if bound < best.value * SLACK:
                return best
            best = _nearer(best, self._f1(query, place, best.value), place)
        for start in range(FEW, len(places), MANY):
            if sorted_bounds[start] < best.value * SLACK:
                break
            best = self._nearest_of(query, places[start : start + MANY], best)
        return best

    def above(self, tokens: Sequence[str], value: float, most: int, own: int) -> list[Nearest]:
        """Lists with an F1 above a value, the nearest first.

        `most` at most: those where one of both has the fewest telling tokens that the other lacks;
        none where both have more than `own`.
        """
        if not tokens or not self._lists:
            return []
        codes = self._codes(tokens)
        asked, bounds = self._asked
        if asked != codes:
            bounds = self._bounds(codes)
        places = (bounds >= value * SLACK).nonzero()[0]
        told = self._told(codes)
        common = self._common(told)[places].astype(np.int32)
        fewer = np.minimum(self._tellings[places], len(told)) - common
        places, fewer = places[fewer <= own], fewer[fewer <= own]
        places = places[np.lexsort((-bounds[places], fewer))][: 2 * most]
        query = _compact(codes)
        found = [Nearest(self._f1(query, place), place) for place in places.tolist()]
        found = [each for each in found if each.value > value]
        return sorted(found, key=lambda each: (-each.value, each.place))[:most]

    def _told(self, codes: list[int]) -> list[int]:
        """The telling ones of codes."""
        telling = self._telling
        return [code for code in codes if telling[code]] if self._tells else codes

    def _nearest_of(
        self, query: str | list[int], places: NDArray[np.intp], best: Nearest
    ) -> Nearest:
        """The nearest of these places and the best so far, measured in one call."""
        lists = self._lists
        others = [lists[place] for place in places.tolist()]
        common = cdist([query], others, scorer=LCSseq.similarity, dtype=np.float64)[0]
        precision, recall = common / self._lengths[places], common / len(query)
        values = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
        value = float(values.max())
        return _nearer(best, value, int(places[values == value].min()))

    def _bounds(self, codes: list[int]) -> NDArray[np.float32]:
        """For every list the F1 that it cannot exceed."""
        bounds = self._common(codes).astype(np.float32)
        bounds /= self._lengths[: len(self._lists)] + np.float32(len(codes))
        bounds *= 2
        return bounds

    def _common(self, codes: list[int]) -> NDArray[Any]:
        """For every list, how many tokens it shares with these (repeated ones as often as both)."""
        size = len(self._lists)
        narrow = len(codes) < 256
        common: NDArray[Any] = np.zeros(size, np.uint8 if narrow else np.uint16)
        for key in _occurrences(codes):
            column = self._columns.get(key)
            if column is not None:
                common += column[:size]
            elif (holders := self._holders.get(key)) is not None:
                common[np.frombuffer(holders, np.int32)] += 1
        return common

    def _f1(self, query: str | list[int], place: int, at_least: float = 0.0) -> float:
        """F1 with a list; 0 when it is certainly less than `at_least`."""
        other = self._lists[place]
        lengths = len(query) + len(other)
        common = LCSseq.similarity(query, other, score_cutoff=int(at_least * SLACK * lengths / 2))
        return f_measure(common, len(query), len(other))

    def _codes(self, tokens: Sequence[str]) -> list[int]:
        code_of = self._code_of
        known = len(code_of)
        codes = [code_of.setdefault(token, len(code_of)) for token in tokens]
        if self._tells and len(code_of) > known:
            for token, code in zip(tokens, codes, strict=True):
                if code >= known:
                    self._telling[code] = self._tells(token)
        return codes

    def _grow(self) -> None:
        self._lengths = _doubled(self._lengths)
        self._tellings = _doubled(self._tellings)
        self._columns = {key: _doubled(column) for key, column in self._columns.items()}


def _nearer(best: Nearest, value: float, place: int) -> Nearest:
    if value > best.value or (value == best.value and place < best.place):
        return Nearest(value, place)
    return best


def _doubled(values: NDArray[Scalar]) -> NDArray[Scalar]:
    return np.concatenate([values, np.zeros_like(values)])


def _compact(codes: list[int]) -> str | list[int]:
    """The codes as text, a character each, which is what rapidfuzz compares fastest."""
    return "".join(map(chr, codes)) if max(codes) <= LARGEST_CODE else codes


def _occurrences(codes: list[int]) -> list[tuple[int, int]]:
    """Each token with how often it stood before: lists share as many of these as tokens."""
    if len(set(codes)) == len(codes):
        return [(code, 0) for code in codes]
    seen: dict[int, int] = {}
    keys = []
    for code in codes:
        times = seen.get(code, 0)
        seen[code] = times + 1
        keys.append((code, times))
    return keys
