"""The streams of two runs beside each other, with some of the rows that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import orjson

from sftrecipe.record import CHAT_COLUMNS, Record
from sftrecipe.report.comparison.compared_side import ComparedSide
from sftrecipe.report.comparison.row_changes import Places, RowChanges, RowPairs
from sftrecipe.report.comparison.shown_excerpts import excerpts
from sftrecipe.report.pages.run.facts.texts import cell_text
from sftrecipe.store.streams import Stream
from sftrecipe.turns.shown_turns import shown_turns, turn_parts

_SEED = 15
_ASKED = "user"
_LONGEST = 1200
"""Characters of a text that are shown."""
Kind = Literal["added", "gone", "changed"]
Part = tuple[str, str | None, str | None]
"""Its name, its text before and now."""


@dataclass(frozen=True)
class RowSample:
    """A row that differs, part by part: texts before and now."""

    kind: Kind
    id: str
    """Now; of one that is gone, before."""
    parts: list[Part]
    """Name, text before, text now; of a changed row those that differ, and what is asked."""


@dataclass(frozen=True)
class StreamChange:
    """A stream whose rows differ, or cannot be compared."""

    stream: str
    was: int | None
    """Rows; None where the side has no such stream, or its rows are not there any more."""
    now: int | None
    added: int = 0
    gone: int = 0
    changed: int = 0
    samples: Sequence[RowSample] = ()
    missing: Sequence[Literal["was", "now"]] = ()
    """The sides that made the stream and whose rows are not stored any more."""


def stream_changes(was: ComparedSide, now: ComparedSide, samples: int) -> list[StreamChange]:
    """The streams of two runs that are not the same, in the order in which they are made."""
    if was.opened is None or now.opened is None:
        return []
    sides = was.opened.streams, now.opened.streams
    made = [
        dict.fromkeys(name for step in opened.steps for name in step.makes)
        for opened in (was.opened, now.opened)
    ]
    pairs, found = RowPairs(), []
    scrubs = was.opened.scrub, now.opened.scrub

    def shown(old: Stream, new: Stream, rows: RowChanges) -> Iterator[RowSample]:
        for sample in _samples(old, new, rows, samples):
            cleaned: RowSample = scrubs[1](scrubs[0](sample))  # a secret cut in half is not known
            yield replace(cleaned, parts=[_short(*part) for part in cleaned.parts])

    for name in dict.fromkeys((*made[1], *made[0])):
        streams = sides[0].get(name), sides[1].get(name)
        missing: list[Literal["was", "now"]] = []
        if name in made[0] and streams[0] is None:
            missing.append("was")
        if name in made[1] and streams[1] is None:
            missing.append("now")
        change = _compared(name, streams, pairs, missing, shown)
        if change is not None:
            found.append(change)
    return found


def _compared(
    name: str,
    streams: tuple[Stream | None, Stream | None],
    pairs: RowPairs,
    missing: list[Literal["was", "now"]],
    shown: Callable[[Stream, Stream, RowChanges], Iterator[RowSample]],
) -> StreamChange | None:
    old, new = streams
    if old is None or new is None:
        rows = [None if each is None else len(each) for each in streams]
        return StreamChange(name, rows[0], rows[1], missing=missing)
    rows_found = pairs.compare(old, new)
    counts = len(rows_found.added), len(rows_found.gone), len(rows_found.changed[0])
    if not any(counts):
        return None
    samples = list(shown(old, new, rows_found))
    return StreamChange(name, rows_found.was, rows_found.now, *counts, samples=samples)


def _samples(was: Stream, now: Stream, found: RowChanges, most: int) -> Iterator[RowSample]:
    """Of each kind so many, the same ones whenever the rows are the same."""
    chosen = _chosen(len(found.changed[0]), most)
    old = _rows_at(was, found.changed[0][chosen])
    new = _rows_at(now, found.changed[1][chosen])
    for before, after in zip(old, new, strict=True):
        parts = [part for part in _beside(before, after) if part[1] != part[2] or part[0] == _ASKED]
        yield RowSample("changed", after.id, parts)
    for row in _rows_at(now, found.added[_chosen(len(found.added), most)]):
        yield RowSample("added", row.id, [(name, None, text) for name, text in _parts(row)])
    for row in _rows_at(was, found.gone[_chosen(len(found.gone), most)]):
        yield RowSample("gone", row.id, [(name, text, None) for name, text in _parts(row)])


def _chosen(count: int, most: int) -> Places:
    if count <= most:
        return np.arange(count)
    drawn = np.random.default_rng(_SEED).choice(count, most, replace=False)
    return np.sort(drawn)


def _rows_at(stream: Stream, places: Places) -> list[Record]:
    """The rows at places in any order."""
    order = np.argsort(places, kind="stable")
    rows = stream.at(places[order].tolist()) if len(places) else []
    found: dict[int, Record] = dict(zip(order.tolist(), rows, strict=True))
    return [found[at] for at in range(len(places))]


def _short(name: str, was: str | None, now: str | None) -> Part:
    old, new = excerpts(was or "", now or "", _LONGEST)
    return name, None if was is None else old, None if now is None else new


def _beside(was: Record, now: Record) -> Iterator[Part]:
    old, new = dict(_parts(was)), dict(_parts(now))
    for name in dict.fromkeys((*old, *new)):
        before, after = was.columns.get(name), now.columns.get(name)
        if old.get(name) == new.get(name) and before != after:  # such as 1 and "1"
            told = [orjson.dumps(each, default=str).decode() for each in (before, after)]
            yield name, told[0], told[1]
        else:
            yield name, old.get(name), new.get(name)


def _parts(row: Record) -> Iterator[tuple[str, str]]:
    """A row's turns, numbered where a name comes again, and its other columns."""
    seen: dict[str, int] = {}
    turns = shown_turns(row.columns)
    told = [(name, text) for turn in turns for name, text in turn_parts(turn)]
    rest = {} if turns else _columns(row.columns)
    for name, text in (*told, *rest.items()):
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} {seen[name]}", text
    if turns:
        others = {k: v for k, v in row.columns.items() if k not in CHAT_COLUMNS}
        yield from _columns(others).items()


def _columns(columns: Mapping[str, Any]) -> dict[str, str]:
    return {name: cell_text(value) for name, value in columns.items()}
