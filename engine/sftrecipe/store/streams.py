"""Streams: rows as they were made, seen through the verdicts of the filters so far.

A filter does not copy rows. It leaves one verdict a row, and a stream is a file of rows with a
chain of such files: thinning a million rows writes a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record
from sftrecipe.store.arrow import arrow, compute, read_table
from sftrecipe.store.rows import (
    TableWriter,
    group_ends,
    read_ids,
    read_rows,
    row_count,
    rows_at,
)
from sftrecipe.store.sample_places import spread_over

_NOTED = ("value", "scores", "changes", "calls", "tags")
_SLICE = 4096
_VERDICTS = {
    "keep": "bool",
    "reason": "string",
    "value": "float64",
    "detail": "string",
    "scores": "binary",
    "changes": "binary",
    "calls": "string",
    "tags": "binary",
}


class VerdictWriter(TableWriter):
    """Writes a filter's verdicts on one stream."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _VERDICTS)
        self.kept = 0

    def write(self, verdict: Verdict) -> None:
        """Take the verdict on the stream's next row."""
        self.kept += verdict.keep
        scores = orjson.dumps(verdict.scores) if verdict.scores else None
        changes = orjson.dumps(verdict.changes) if verdict.changes else None
        reason = None if verdict.keep else verdict.reason
        detail = verdict.detail or None
        calls = " ".join(verdict.calls) or None
        tags = orjson.dumps(verdict.tags) if verdict.tags else None
        self.add((verdict.keep, reason, verdict.value, detail, scores, changes, calls, tags))


class Judged(NamedTuple):
    """A filter's verdicts on a stream."""

    step: str
    path: Path


class Dropped(NamedTuple):
    """A row that a filter took out of a stream."""

    step: str
    record: Record
    reason: str
    value: float | None
    detail: str | None


@dataclass(frozen=True)
class Stream:
    """A stream's rows after the filters so far; satisfies `Rows`."""

    name: str
    path: Path
    """The rows as they were made."""
    judged: tuple[Judged, ...] = ()

    def through(self, judged: Judged) -> Stream:
        """The stream after one more filter."""
        return replace(self, judged=(*self.judged, judged))

    def as_made(self) -> Stream:
        """The stream before any filter."""
        return replace(self, judged=())

    def __len__(self) -> int:
        if not self.judged:
            return row_count(self.path)
        keep = _column(self.judged[-1].path, "keep")
        return int(compute().sum(keep).as_py() or 0)

    def __iter__(self) -> Iterator[Record]:
        survivors = _Survivors(self.path, self.judged)
        rows = read_rows(self.path, survivors.mask())
        notes = survivors.notes()
        if not notes:
            return rows
        return _with_notes(rows, notes)

    def ids(self) -> Iterator[str]:
        """The rows' ids alone, cheaply."""
        return read_ids(self.path, _Survivors(self.path, self.judged).mask())

    def sampled(self, most: int) -> list[Record]:
        """At most so many of the rows, in order, from all over the stream; the rest is not read.

        The same rows whenever the stream is the same.
        """
        survivors = _Survivors(self.path, self.judged)
        places = survivors.as_made()
        return self._chosen(survivors, places, spread_over(places, group_ends(self.path), most))

    def at(self, chosen: Sequence[int]) -> list[Record]:
        """The rows at ascending places among those that the filters kept."""
        survivors = _Survivors(self.path, self.judged)
        return self._chosen(survivors, survivors.as_made(), chosen)

    def _chosen(self, survivors: _Survivors, places: Any, chosen: Sequence[int]) -> list[Record]:
        taken = arrow().array(chosen, arrow().uint64())
        rows = rows_at(self.path, places.take(taken).to_pylist())
        notes = [
            _Note(note.step, *(cells.take(taken) for cells in note[1:]))
            for note in survivors.notes()
        ]
        return list(_with_notes(iter(rows), notes)) if notes else rows

    def cells(self, names: Sequence[str]) -> Any:
        """Some columns of the stored rows, those that the filters kept: an Arrow table."""
        table = read_table(self.path, names)
        if not self.judged:
            return table
        return table.take(_Survivors(self.path, self.judged).as_made())

    def edits(self) -> list[Any]:
        """What filters changed in the kept rows, as JSON cells: a column each filter that did."""
        return list(_Survivors(self.path, self.judged).changes())

    def dropped(self) -> Iterator[Dropped]:
        """What the last filter took out, with its why and the calls that this rests on."""
        *before, last = self.judged
        table = read_table(last.path)
        gone = compute().invert(table["keep"].combine_chunks())
        survivors = _Survivors(self.path, tuple(before))
        rows = read_rows(self.path, survivors.mask(gone))
        why = table.filter(gone)
        reasons = zip(
            rows,
            why["reason"].to_pylist(),
            why["value"].to_pylist(),
            why["detail"].to_pylist(),
            why["calls"].to_pylist(),
            strict=True,
        )
        for record, reason, value, detail, calls in reasons:
            asked = record._replace(calls=(*record.calls, *calls.split())) if calls else record
            yield Dropped(last.step, asked, reason, value, detail)


class _Note(NamedTuple):
    """What a filter wrote beside the survivors: one entry a surviving row."""

    step: str
    values: Any
    scores: Any
    changes: Any
    calls: Any
    tags: Any


class _Survivors:
    """Places of the rows that a chain of verdicts keeps."""

    def __init__(self, path: Path, judged: tuple[Judged, ...]) -> None:
        self._path = path
        self._judged = judged
        self._kept = [compute().indices_nonzero(_column(step.path, "keep")) for step in judged]

    def mask(self, among: Any = None) -> Any:
        """Boolean array over the rows as made; `among` chooses among the survivors."""
        if not self._kept:
            return among
        places = self._places(0)
        if among is not None:
            places = places.filter(among)
        return compute().is_in(_numbered(row_count(self._path)), value_set=places)

    def as_made(self) -> Any:
        """The survivors' places among the rows as made."""
        if not self._kept:
            return _numbered(row_count(self._path))
        return self._places(0)

    def _places(self, level: int) -> Any:
        """The survivors' places in the input of the filter `level`."""
        places = self._kept[-1]
        for kept in reversed(self._kept[level:-1]):
            places = kept.take(places)
        return places

    def notes(self) -> list[_Note]:
        """Values, scores, changes and tags that filters wrote on the surviving rows."""
        found = []
        for level, step in enumerate(self._judged):
            table = read_table(step.path, _NOTED)
            if any(table[name].null_count < table.num_rows for name in table.column_names):
                table = table.take(self._places(level))
                found.append(_Note(step.step, *(table[name] for name in _NOTED)))
        return found

    def changes(self) -> Iterator[Any]:
        """What each filter changed that changed any, of the surviving rows: nothing else is read,
        for it may be as much as the rows."""
        for level, step in enumerate(self._judged):
            cells = read_table(step.path, ["changes"])["changes"]
            if cells.null_count < len(cells):
                cells = _of_places(cells, self._places(level))
                if cells.null_count < len(cells):
                    yield cells


def _of_places(cells: Any, places: Any) -> Any:
    """The cells at ascending places: as they are, where that is all of them."""
    return cells if len(places) == len(cells) else cells.take(places)


def _numbered(rows: int) -> Any:
    import numpy as np  # noqa: PLC0415 - with pyarrow, where rows are read

    return arrow().array(np.arange(rows, dtype=np.uint64))


def _column(path: Path, name: str) -> Any:
    return read_table(path, [name])[name].combine_chunks()


def _with_notes(rows: Iterator[Record], notes: list[_Note]) -> Iterator[Record]:
    """The rows with what the filters wrote on them, a slice at a time (an Arrow cell is slow)."""
    start = 0
    while held := list(islice(rows, _SLICE)):
        scores = [dict(row.scores) for row in held]
        changes: list[dict[str, Any]] = [{} for _ in held]
        calls = [row.calls for row in held]
        tags = [dict(row.tags) for row in held]
        for note in notes:
            _add_values(scores, note.step, note.values.slice(start, len(held)).to_pylist())
            _add_json(scores, note.scores.slice(start, len(held)))
            _add_json(changes, note.changes.slice(start, len(held)))
            _add_calls(calls, note.calls.slice(start, len(held)))
            _add_json(tags, note.tags.slice(start, len(held)))
        noted = zip(held, scores, changes, calls, tags, strict=True)
        for row, score, change, asked, tagged in noted:
            columns = {**row.columns, **change} if change else row.columns
            yield row._replace(columns=columns, scores=score, calls=asked, tags=tagged)
        start += len(held)


def _add_values(scores: list[dict[str, Any]], step: str, values: list[float | None]) -> None:
    for score, value in zip(scores, values, strict=True):
        if value is not None:
            score[step] = value


def _add_json(into: list[dict[str, Any]], cells: Any) -> None:
    if cells.null_count == len(cells):
        return
    for target, cell in zip(into, cells.to_pylist(), strict=True):
        if cell is not None:
            target.update(orjson.loads(cell))


def _add_calls(into: list[tuple[str, ...]], cells: Any) -> None:
    if cells.null_count == len(cells):
        return
    for place, cell in enumerate(cells.to_pylist()):
        if cell:
            into[place] = (*into[place], *cell.split())
