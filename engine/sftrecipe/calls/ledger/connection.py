"""A connection to a ledger: patient with other engines, and sure that the file is still there."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plugin.regular_files import refuse_unusual
from sftrecipe.store.waiting import holder_of, wait_until

_PATIENCE = 30.0
"""Seconds that a ledger may be locked: a commit takes milliseconds."""
_BUSY = 5
"""SQLite's code, in the lowest byte."""


class LedgerConnection(sqlite3.Connection):
    """Autocommit, durable against a killed process; its schema runs no code."""

    path: Path
    _place: str
    _opened: os.stat_result
    _saved: str | None = None

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        """Execute, and wait for another engine where it must; before a transaction, see whether
        the file is still the one that was opened."""
        if sql.startswith("BEGIN"):
            self._check_place()
        try:
            return super().execute(sql, values)
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
        execute = super().execute
        return self._patiently(lambda: execute(sql, values))

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        """Execute for every row, and wait for another engine where it must."""
        values, execute = list(rows), super().executemany
        return self._patiently(lambda: execute(sql, values))

    def _patiently(self, run: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        found: list[sqlite3.Cursor] = []
        ends = time.monotonic() + _PATIENCE

        def is_done() -> bool:
            try:
                found.append(run())
            except sqlite3.OperationalError as again:
                if not _is_busy(again) or time.monotonic() > ends:
                    raise
                return False
            return True

        log = self.path.with_name(f"{self.path.name}-shm")
        wait_until(is_done, self.path, lambda: holder_of(log))
        return found[0]

    def _check_place(self) -> None:
        """Raises SftrecipeError where the file was deleted or replaced."""
        try:
            there = os.path.samestat(os.stat(self._place), self._opened)  # noqa: PTH116 - at each call
        except FileNotFoundError:
            there = False
        if not there:
            self._saved = self._saved or self._save()
            raise SftrecipeError(
                "ledger-gone", "ledger-gone", path=str(self.path), saved=self._saved
            )

    def _save(self) -> str:
        """Write all that this connection knows into a file again; what came of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.saved-{token_hex(4)}")
        with closing(sqlite3.connect(new)) as copy:
            self.backup(copy)
            copy.execute("PRAGMA journal_mode = WAL")
        with suppress(OSError):
            os.link(new, self.path)
            new.unlink()
            return message("ledger-back", {})
        return message("ledger-beside", {"path": new})


def connect(path: Path) -> LedgerConnection:
    """A connection to a ledger that is there. Raises OSError where that is no file."""
    refuse_unusual(path)
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        timeout=0.1,
        isolation_level=None,
        factory=LedgerConnection,
    )
    connection.path, connection._place, connection._opened = path, str(path), path.stat()
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == _BUSY
