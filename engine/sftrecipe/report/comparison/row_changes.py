"""Rows of two streams beside each other: which are new, gone, or the same row with another text.

A row is known by its id, which its content gives. Of those that are left over on both sides, one
is the other's later form where both were made from the same rows, or read between the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from sftrecipe.store.arrow import compute
from sftrecipe.store.streams import Stream

Places = NDArray[np.int64]
_SLICE = 4096
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
class LaterForms:
    """Ids now by ids before, as columns: a dictionary of them would take ten times the memory."""

    was: Any = field(default_factory=lambda: _texts([]))
    now: Any = field(default_factory=lambda: _texts([]))

    def add(self, was: Any, now: Any) -> None:
        """Take pairs; what was known of an id holds no more."""
        if len(was):  # the first of equal ids is the one that is found
            back = pa.array(np.arange(len(was))[::-1])
            self.was = _texts([was.take(back), self.was])
            self.now = _texts([now.take(back), self.now])

    def of(self, ids: Any) -> Any:
        """The later form of each id; itself where there is none."""
        if not len(self.was):
            return ids
        places = compute().index_in(ids, value_set=self.was)
        return compute().coalesce(self.now.take(places), ids)


@dataclass
class RowPairs:
    """Rows that are known to be later forms of others, over all streams that were compared."""

    later: LaterForms = field(default_factory=LaterForms)

    def compare(self, was: Stream, now: Stream) -> RowChanges:
        """Compare a stream with its later form; what it is made from has been compared before."""
        if was == now:
            return _nothing(len(was))
        before, after = was.cells(["id"])["id"], now.cells(["id"])["id"]
        both, left, right = _matched(before, after)
        edited = _edited(was, now, both)
        pa.default_memory_pool().release_unused()  # the edits may be as much as the rows
        rest = (
            _Rest(was, left, _neighbours(left, both[0], both[1]), self.later),
            _Rest(now, right, _neighbours(right, both[1], both[1]), LaterForms()),
        )
        more = _later_forms(*rest)
        self.later.add(before.take(pa.array(more[0])), after.take(pa.array(more[1])))
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


@dataclass(frozen=True)
class _Rest:
    """The rows of a side that the other one does not have."""

    stream: Stream
    places: Places
    neighbours: Places
    """Of each, the row before it that both sides have, by its place now."""
    later: LaterForms
    """Later forms of the rows that it may be made from."""

    def keys(self) -> Any:
        """What tells that a row here and one there are the same: null where nothing does.

        A row that comes from another stream is known from there. One that was made in this one, by
        what it was made from, in its later form; one that was read, by where in its file it stands
        among the rows that both sides have.
        """
        taken = self.stream.cells(_LINEAGE).take(pa.array(self.places))
        name, made, origin, parents = (_texts([taken[column]]) for column in _LINEAGE)
        is_other = compute().not_equal(made, self.stream.name)
        has_parents = compute().greater(compute().binary_length(parents), 0)
        return compute().case_when(
            pa.StructArray.from_arrays([is_other, has_parents], ["other", "made"]),
            _joined("other", self.later.of(name)),
            _joined("made", self._parents(parents)),
            self._spots(origin),
        )

    def _parents(self, parents: Any) -> Any:
        """The later forms of what each row was made from."""
        if not len(self.later.was):
            return parents
        names = compute().split_pattern(parents, " ")
        later = pa.ListArray.from_arrays(names.offsets, self.later.of(names.values))
        return compute().binary_join(later, _text(" "))

    def _spots(self, origin: Any) -> Any:
        """The file that a row was read from, and the row before it that both sides have."""
        file = compute().replace_substring_regex(origin, r"(?s)^(?:(.*):)?[^:]*$", r"\1")
        after = pa.array(self.neighbours).cast(pa.large_string())
        is_read = compute().greater(compute().binary_length(origin), 0)
        return compute().if_else(is_read, _joined("read", file, after), _text(None))


def _later_forms(was: _Rest, now: _Rest) -> tuple[Places, Places]:
    """Pairs of what is left over on both sides, in the rows' order."""
    if not len(was.places) or not len(now.places):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    keys = was.keys(), now.keys()
    known = [np.flatnonzero(each.is_valid().to_numpy(zero_copy_only=False)) for each in keys]
    told = [key.take(pa.array(at)) for key, at in zip(keys, known, strict=True)]
    (left, right), _, _ = _matched(*told)
    order = np.argsort(left)
    return was.places[known[0][left[order]]], now.places[known[1][right[order]]]


def _texts(parts: Sequence[Any]) -> Any:
    """Columns of texts as one array, of any size."""
    wide = pa.large_string()
    chunks = [each.cast(wide) for part in parts for each in getattr(part, "chunks", [part])]
    return pa.concat_arrays([pa.array([], wide), *chunks])


def _text(value: str | None) -> Any:
    return pa.scalar(value, pa.large_string())


def _joined(*parts: Any) -> Any:
    """Texts side by side, none of which is another's beginning."""
    told = [_text(part) if isinstance(part, str) else part for part in parts]
    return compute().binary_join_element_wise(*told, _text("\0"))


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
    codes = _codes(_texts([before, after]))
    one, two = _numbered(codes[: len(before)], codes[len(before) :])
    _, left, right = np.intersect1d(one, two, assume_unique=True, return_indices=True)
    order = np.argsort(right)
    both = left[order].astype(np.int64), right[order].astype(np.int64)
    return both, _others(len(before), left), _others(len(after), right)


def _codes(texts: Any) -> NDArray[np.int64]:
    """A number for each text, the same for equal ones."""
    encoded = texts.dictionary_encode()
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
    differ: list[bool] = []
    for start in range(0, len(places), _SLICE):
        part = places[start : start + _SLICE]
        first, size = part[0], part[-1] - part[0] + 1
        texts = (
            each.slice(first, size).take(pa.array(part - first)).to_pylist() for each in (one, two)
        )
        differ += [_merged(old) != _merged(new) for old, new in zip(*texts, strict=True)]
    found: Places = places[np.array(differ, bool)]
    return found


def _edits(stream: Stream, places: Places) -> Any:
    """What filters changed in the rows at some places, line by line; None where none did."""
    edits = stream.edits()
    if not edits:
        return None
    if not np.array_equal(places, np.arange(len(edits[0]))):
        edits = [each.take(pa.array(places)) for each in edits]
    if len(edits) == 1:
        return edits[0]
    lines = [compute().fill_null(each, b"") for each in edits]  # a row of nulls would be left out
    joined = compute().binary_join_element_wise(*lines, pa.scalar(b"\n", pa.binary()))
    empty = compute().equal(compute().binary_length(joined), len(edits) - 1)
    return compute().if_else(empty, pa.scalar(None, pa.binary()), joined)


def _merged(edits: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for line in filter(None, (edits or b"").splitlines()):
        found |= orjson.loads(line)
    return found
