"""Rows of two streams beside each other: which are new, gone, or the same row with another text.

A row is known by its id, which its content gives. Of those that are left over on both sides, one
is the other's later form where both were made from the same rows, or read between the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from sftrecipe.store.arrow import compute
from sftrecipe.store.streams import Stream

Places = NDArray[np.int64]
_LINEAGE = ("id", "stream", "origin", "parents")


@dataclass(frozen=True)
class RowChanges:
    """What two streams have not in common, by the rows' places among the kept ones."""

    was: int
    """Rows before."""
    now: int
    added: Places
    gone: Places
    changed: tuple[Places, Places]
    """Places before and now, pair by pair."""


@dataclass
class RowPairs:
    """Rows that are known to be later forms of others, over all streams that were compared."""

    later: dict[str, str] = field(default_factory=dict)
    """Ids now by ids before."""

    def compare(self, was: Stream, now: Stream) -> RowChanges:
        """Compare a stream with its later form; what it is made from has been compared before."""
        if was == now:
            return _nothing(len(was))
        before, after = was.cells(["id"])["id"], now.cells(["id"])["id"]
        both, left, right = _matched(before, after)
        edited = _edited(was, now, both)
        rest = (
            _Rest(was, left, _neighbours(left, both[0], both[1]), self.later),
            _Rest(now, right, _neighbours(right, both[1], both[1]), {}),
        )
        more = _later_forms(*rest)
        self._note(before, after, more)
        changed = (
            np.concatenate((both[0][edited], more[0])),
            np.concatenate((both[1][edited], more[1])),
        )
        return RowChanges(
            len(before),
            len(after),
            np.setdiff1d(right, more[1], assume_unique=True),
            np.setdiff1d(left, more[0], assume_unique=True),
            changed,
        )

    def _note(self, before: Any, after: Any, pairs: tuple[Places, Places]) -> None:
        names = (
            side.take(pa.array(places)).to_pylist()
            for side, places in zip((before, after), pairs, strict=True)
        )
        self.later.update(zip(*names, strict=True))


@dataclass(frozen=True)
class _Rest:
    """The rows of a side that the other one does not have."""

    stream: Stream
    places: Places
    neighbours: Places
    """Of each, the row before it that both sides have, by its place now."""
    later: Mapping[str, str]
    """Later forms of the rows that it may be made from."""

    def keys(self) -> Iterator[Hashable]:
        """What tells that a row here and one there are the same: None where nothing does.

        A row that comes from another stream is known from there. One that was made in this one, by
        what it was made from, in its later form; one that was read, by where in its file it stands
        among the rows that both sides have.
        """
        table = self.stream.cells(_LINEAGE).take(pa.array(self.places))
        columns = (table[name].to_pylist() for name in _LINEAGE)
        later = self.later
        for name, made, origin, parents, at in zip(*columns, self.neighbours.tolist(), strict=True):
            if made != self.stream.name:
                yield later.get(name, name)
            elif parents:
                yield tuple(later.get(each, each) for each in parents.split())
            else:
                yield (origin.rpartition(":")[0], at) if origin else None


def _later_forms(was: _Rest, now: _Rest) -> tuple[Places, Places]:
    """Pairs of what is left over on both sides, in the rows' order."""
    if not len(was.places) or not len(now.places):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for place, key in zip(now.places.tolist(), now.keys(), strict=True):
        if key is not None:
            waiting[key].append(place)
    for places in waiting.values():  # a deque for each key would take ten times the memory
        places.reverse()
    pairs = [
        (place, waiting[key].pop())
        for place, key in zip(was.places.tolist(), was.keys(), strict=True)
        if waiting.get(key)
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _neighbours(places: Places, known: Places, now: Places) -> Places:
    """Of each place the last one before it that is known, as its place now; -1: there is none."""
    order = np.argsort(known)
    at = np.searchsorted(known[order], places) - 1
    found = np.full(len(places), -1, np.int64)
    found[at >= 0] = now[order][at[at >= 0]]
    return found


def _nothing(rows: int) -> RowChanges:
    none = np.empty(0, np.int64)
    return RowChanges(rows, rows, none, none, (none, none))


def _matched(before: Any, after: Any) -> tuple[tuple[Places, Places], Places, Places]:
    """Places of rows with the same id on both sides, and of the others; equal ones in order."""
    codes = _codes(pa.chunked_array([*before.chunks, *after.chunks], pa.string()))
    one, two = _numbered(codes[: len(before)], codes[len(before) :])
    _, left, right = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    order = np.argsort(right)
    both = left[order].astype(np.int64), right[order].astype(np.int64)
    return both, _others(len(before), left), _others(len(after), right)


def _codes(texts: Any) -> NDArray[np.int64]:
    """A number for each text, the same for equal ones."""
    encoded = texts.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def _numbered(*sides: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The numbers, each joined with how often it stood there before: all of them differ."""
    counts = [_counted(side) for side in sides]
    most = max((int(each.max()) for each in counts if len(each)), default=0) + 1
    return [side * most + count for side, count in zip(sides, counts, strict=True)]


def _counted(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(codes) else order
    sizes = np.diff(np.r_[starts, len(codes)])
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) - np.repeat(starts, sizes)
    return found


def _others(count: int, taken: Places) -> Places:
    left = np.ones(count, bool)
    left[taken] = False
    return np.flatnonzero(left)


def _edited(was: Stream, now: Stream, both: tuple[Places, Places]) -> Places:
    """Which pairs of the same row have another text: filters changed it in other ways."""
    edits = [_edits(stream, places) for stream, places in zip((was, now), both, strict=True)]
    if edits[0] is None and edits[1] is None:
        return np.empty(0, np.int64)
    rows = len(both[0])
    one, two = (pa.nulls(rows, pa.binary()) if each is None else each for each in edits)
    unlike = compute().fill_null(compute().not_equal(one, two), True)
    alike = compute().and_(compute().is_null(one), compute().is_null(two))
    places = np.flatnonzero(compute().and_not(unlike, alike).to_numpy(zero_copy_only=False))
    texts = (each.take(pa.array(places)).to_pylist() for each in (one, two))
    differ = [_merged(old) != _merged(new) for old, new in zip(*texts, strict=True)]
    found: Places = places[np.array(differ, bool)]
    return found


def _edits(stream: Stream, places: Places) -> Any:
    """What filters changed in the rows at some places, line by line; None where none did."""
    edits = stream.edits()
    if not edits:
        return None
    columns = [_whole(each).take(pa.array(places)) for each in edits]
    joined = compute().binary_join_element_wise(
        *columns, pa.scalar(b"\n", pa.binary()), null_handling="skip"
    )
    empty = compute().equal(compute().binary_length(joined), 0)
    return compute().if_else(empty, pa.scalar(None, pa.binary()), joined)


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _merged(edits: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in (edits or b"").splitlines():
        found |= orjson.loads(line)
    return found
