"""Repairing a damaged ledger: every call that can still be read goes into a new one."""

from __future__ import annotations

import mmap
import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sftrecipe.calls.ledger import accounts
from sftrecipe.calls.ledger.database import (
    LINKLESS,
    check_header,
    engines_folder,
    explained,
    open_ledger,
)
from sftrecipe.calls.ledger.engines import somebody_lives
from sftrecipe.calls.ledger.pages import Pages, Row, Value
from sftrecipe.calls.replies import whole_replies
from sftrecipe.errors import SftrecipeError
from sftrecipe.store.atomic_files import sync

_STATES = ("done", "refused", "failed", "asking")
"""States of a call, the one that is worth most first."""
_KEY_DIGITS = 32


class Repaired(NamedTuple):
    """What a repair came to."""

    saved: int
    """Calls in the new ledger."""
    replies: int
    """Those of them that have a reply."""
    lost: int
    """Calls that the damaged file names, but that cannot be read."""
    kept: Path
    """Where the damaged file lies now."""


def repair(path: Path) -> Repaired:
    """Put every readable call of a damaged ledger into a new one, and keep the damaged file beside.

    Raises SftrecipeError when an engine is using it, when it is a newer engine's, or when no call
    can be read.
    """
    new = path.with_name(f"{path.name}.repaired")
    with explained(path):
        if somebody_lives(engines_folder(path)):
            raise SftrecipeError("ledger-in-use", "ledger-in-use", path=str(path))
        if path.stat().st_size == 0:
            raise _hopeless(path, "the file is empty")
        check_header(path)
        _remove(new)
        try:
            found = _copied(path, new)
            if not found.states:
                raise _hopeless(path, "no call in it can be read")
            kept = _kept(path)
            new.replace(path)
        finally:
            _remove(new)
    replies = sum(state == "done" for state in found.states.values())
    return Repaired(len(found.states), replies, len(found.named - found.states.keys()), kept)


class _SavedRows:
    """Calls of the damaged file on their way into the new ledger."""

    def __init__(self, connection: sqlite3.Connection, columns: dict[str, Value]) -> None:
        self.states: dict[str, str] = {}
        """State of every saved call, by key."""
        self.named: set[str] = set()
        """Keys that the damaged file's index holds."""
        self._connection = connection
        self._columns = columns
        self._insert = f"INSERT OR REPLACE INTO calls VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - marks alone

    def take(self, row: Row, engine: int) -> None:
        """Save a row that is a call; of several copies the one that is worth most."""
        # Columns that came with a later version have their defaults in the rows of an earlier one.
        columns = tuple(self._columns)
        values = (*row, *(self._columns[name] for name in columns[len(row) :]))
        call = dict(zip(columns, values, strict=False))
        if len(row) > len(self._columns) or not _is_call(call):
            return
        key, state = str(call["key"]), str(call["state"])
        known = self.states.get(key)
        if known is None or _STATES.index(state) < _STATES.index(known):
            call["engine"] = engine
            self._connection.execute(self._insert, tuple(call.values()))
            self.states[key] = state


def _copied(path: Path, new: Path) -> _SavedRows:
    """Write what is readable into a new ledger, whose engines are all gone."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        closing(open_ledger(new)) as connection,
    ):
        columns: dict[str, Value] = {
            name: None if default is None else int(default)
            for name, default in connection.execute(
                "SELECT name, dflt_value FROM pragma_table_info('calls') ORDER BY cid"
            )
        }
        pages, found = Pages(path, content), _SavedRows(connection, columns)
        connection.execute("BEGIN")
        engine = connection.execute(
            "INSERT INTO engines (token, run, pid, started, closed) VALUES ('', '', 0, ?, 0)",
            (time.time(),),
        ).lastrowid
        for row in pages.rows():
            found.take(row, int(engine or 0))
        for entry in pages.entries():
            if len(entry) == 2 and _is_key(entry[0]):
                found.named.add(str(entry[0]))
        accounts.fill(connection)
        whole_replies.fill(connection)
        connection.execute("COMMIT")
    return found


def _is_call(call: dict[str, Any]) -> bool:
    """Whether a row is one of the table of calls, and whole."""
    if not _is_key(call["key"]) or call["state"] not in _STATES:
        return False
    if call["state"] == "done" and not isinstance(call["reply"], str):
        return False
    raw = call["raw"] if str(call["raw"]).startswith("{") else "{}"
    try:
        orjson.loads(call["request"])
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_key(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) == _KEY_DIGITS
        and all(digit in "0123456789abcdef" for digit in value)
    )


def _hopeless(path: Path, detail: str) -> SftrecipeError:
    return SftrecipeError("ledger-damaged", "ledger-hopeless", path=str(path), error=detail)


def _kept(path: Path) -> Path:
    """Give the damaged file, and its log, another name beside; the log leaves its old one.

    The file keeps its name until the new ledger takes it: at no moment is there none.
    """
    stem, number = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}", 1
    kept = path.with_name(stem)
    while kept.exists():
        number += 1
        kept = path.with_name(f"{stem}-{number}")
    try:
        os.link(path, kept)
    except OSError as error:
        if error.errno not in LINKLESS:
            raise
        shutil.copy2(path, kept)
        sync(kept)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.rename(kept.with_name(kept.name + suffix))
    return kept


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
