"""Rows of a run found by an id, by words that they hold, or by a line of an exported file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import UsageError
from sftrecipe.plugin.option_types import ROW_ID_COLUMNS
from sftrecipe.record import Record
from sftrecipe.store.arrow import read_table
from sftrecipe.turns.shown_turns import shown_turns, turn_parts

MATCHES = 20
_AT_LINE = re.compile(r"(.+):(\d+)", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{16}")
_AROUND = 24
"""Characters shown before and behind what was found."""
_LONGEST = 64
_SIZE, _WIDE_SIZE = 4, 2
"""Letters of a part, by which near rows are found; of Chinese two."""
_NEAR = 0.5
"""Of the parts of what was asked for, the share that a near row holds."""
_NEAREST = 3
_READ = 2000


@dataclass(frozen=True)
class FoundRow:
    """A row that holds what was asked for."""

    id: str
    step: str
    """The source, generator or judge that made it."""
    place: str
    """The column or the turn where it was found; empty where it was found by its id."""
    text: str
    """What stands there, around what was asked for."""


@dataclass
class RowSearch:
    """Looks for rows among those that each step made."""

    asked: str
    found: dict[str, list[FoundRow]]
    """By step, in the run's order."""
    looked_at: int = 0

    @classmethod
    def among(cls, asked: str, rows: Mapping[str, Iterable[Record]]) -> RowSearch:
        """Look through the rows of all steps; so many of each step are found at most."""
        search = cls(asked, {})
        for step, made in rows.items():
            search.found[step] = []
            for row in made:
                search.looked_at += 1
                if len(search.found[step]) < MATCHES and (hit := _hit(row, asked)):
                    search.found[step].append(FoundRow(row.id, step, *hit))
        return search

    def best(self) -> list[FoundRow]:
        """That of the latest step that has any; where it has several, all, the latest first."""
        steps = [rows for rows in reversed(self.found.values()) if rows]
        if not steps:
            return []
        unique = [list({row.id: row for row in rows}.values()) for rows in steps]
        return unique[0] if len(unique[0]) == 1 else [row for rows in unique for row in rows]


def nothing_found(asked: str, rows: Mapping[str, Iterable[Record]], looked_at: int) -> UsageError:
    """That no row holds it: what was searched, and rows that come near."""
    values: dict[str, object] = {"row": asked, "count": f"{looked_at:,}", "steps": ", ".join(rows)}
    near = _nearest(asked, rows)
    if not near:
        return UsageError("no-such-row", "row-ids", **values)
    told = "; ".join(f"{row.id} ({row.step}) “{row.text}”" for row in near)
    return UsageError("no-such-row", "row-near", near=told, **values)


def line_of_file(asked: str) -> tuple[Path, int] | None:
    """The file and the line that `FILE:LINE` names, where there is such a file."""
    named = _AT_LINE.fullmatch(asked)
    if named is None or not Path(named[1]).is_file():
        return None
    return Path(named[1]), int(named[2])


def exported_row(file: Path, line: int) -> dict[str, Any]:
    """The row on a line of an exported file: JSON lines, a JSON list of a row a line, or Parquet,
    where it is the row of that number.

    Raises UsageError where no row stands there.
    """
    try:
        if file.suffix == ".parquet":
            found = read_table(file).slice(line - 1, 1).to_pylist()
            row: Any = found[0] if found and line else None
        else:
            with file.open("rb") as opened:
                text = next((each for at, each in enumerate(opened, 1) if at == line), b"")
            row = orjson.loads(text.strip().removeprefix(b"[").removesuffix(b",").strip())
    except (OSError, ValueError):
        row = None
    if not isinstance(row, dict):
        raise UsageError("no-exported-row", file=str(file), line=line)
    return row


def rows_like(row: Mapping[str, Any], streams: Mapping[str, Iterable[Record]]) -> list[FoundRow]:
    """The row of a run that was written so: by its id, else by what it says."""
    lineage = row.get("lineage")
    named = [row.get(name) for name in ROW_ID_COLUMNS]
    named += [lineage.get("id")] if isinstance(lineage, Mapping) else []
    ids = [each for each in named if isinstance(each, str) and _ID.fullmatch(each)]
    said = [each for each in _texts(row) if each not in ids]
    by_id: dict[str, FoundRow] = {}
    by_text: dict[str, FoundRow] = {}
    for record in (record for records in streams.values() for record in records):
        made = FoundRow(record.id, record.stream, "", next(iter(said), "")[:_LONGEST])
        if record.id in ids:
            by_id[record.id] = made
        elif not by_id and said and _says(record, said):
            by_text[record.id] = made
    return list((by_id or by_text).values())[:MATCHES]


def _says(record: Record, said: list[str]) -> bool:
    """Whether a row holds everything that was written, words around a thought aside."""
    held = "\n".join(_texts(record.columns))
    return all(text in held or _without_marks(text) in held for text in said)


def _without_marks(text: str) -> str:
    return re.sub(r"(?s)^<think>.*?</think>\s*", "", text)


def _texts(value: Any) -> Iterator[str]:
    """The texts of a row, but for names of roles."""
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from () if name == "role" else _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _hit(row: Record, asked: str) -> tuple[str, str] | None:
    """Where a row holds what is asked for, and what stands around it."""
    if len(asked) > 3 and row.id.startswith(asked):
        return "", _begun(row)
    for place, text in _places(row):
        at = text.find(asked)
        if at >= 0:
            return place, _excerpt(text, at, len(asked))
    return None


def _places(row: Record) -> Iterator[tuple[str, str]]:
    for turn in shown_turns(row.columns):
        yield from turn_parts(turn)
    yield from ((name, value) for name, value in row.columns.items() if isinstance(value, str))


def _begun(row: Record) -> str:
    return next((_excerpt(text, 0, 0) for _, text in _places(row) if text.strip()), "")


def _excerpt(text: str, at: int, length: int) -> str:
    start, end = max(at - _AROUND, 0), max(at + length + _AROUND, _LONGEST)
    shown = " ".join(text[start : min(end, start + 2 * _LONGEST)].split())
    return f"{'…' if start else ''}{shown}{'…' if end < len(text) else ''}"


def _nearest(asked: str, rows: Mapping[str, Iterable[Record]]) -> list[FoundRow]:
    """The rows that hold most of the parts of what was asked for."""
    size = _SIZE if asked.isascii() else _WIDE_SIZE
    parts = _parts(asked, size)
    if not parts:
        return []
    near = (
        (len(parts & _parts(text, size)) / len(parts), FoundRow(row.id, step, place, _begun(row)))
        for step, made in rows.items()
        for row in made
        for place, text in _places(row)
    )
    best = nlargest(4 * _NEAREST, near, key=lambda each: each[0])
    return list({row.id: row for share, row in best if share >= _NEAR}.values())[:_NEAREST]


def _parts(text: str, size: int) -> set[str]:
    """All parts of so many letters, written in any way."""
    plain = "".join(unicodedata.normalize("NFKC", text[:_READ]).casefold().split())
    return {plain[at : at + size] for at in range(len(plain) - size + 1)}
