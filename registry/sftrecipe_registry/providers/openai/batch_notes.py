"""Which requests are in which batch: kept in a file, so that a killed engine's are found again.

A batch is noted before it is created, under a token of its own that it carries as metadata: whether
it came to be is then asked of the server. SQLite, since several engines may use one project.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sftrecipe.plugin import SftrecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = "openai_batches.sqlite"
_KEPT = 30 * 24 * 3600.0
"""Seconds after which OpenAI has deleted a batch's files, and its note is of no use."""
_TABLES = """
CREATE TABLE IF NOT EXISTS batches (
  token TEXT PRIMARY KEY, address TEXT NOT NULL, noted REAL NOT NULL, batch TEXT
);
CREATE TABLE IF NOT EXISTS requests (
  id TEXT NOT NULL, token TEXT NOT NULL REFERENCES batches (token), PRIMARY KEY (id, token)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS requests_token ON requests (token);
"""
_FORGET_EMPTY = """DELETE FROM batches WHERE token = ?
AND NOT EXISTS (SELECT 1 FROM requests WHERE token = batches.token)"""
_FORGET_OLD = """DELETE FROM requests
WHERE token IN (SELECT token FROM batches WHERE noted < ?)"""


class Note(NamedTuple):
    """A batch that was created, or was about to be."""

    token: str
    noted: float
    """Seconds since 1970."""
    batch: str | None
    """OpenAI's name of it; None: whether it was created is not known."""


class BatchNotes:
    """The notes about one server's batches. All methods raise SftrecipeError."""

    def __init__(self, folder: Path, address: str) -> None:
        self._path = folder / _FILE
        self._address = address
        with self._explained():
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
            self._forget_old()

    def write(self, token: str, requests: Iterable[str]) -> None:
        """Note a batch that is about to be created, with the ids of its requests."""
        with self._transaction() as run:
            run.execute(
                "INSERT INTO batches (token, address, noted) VALUES (?, ?, ?)",
                (token, self._address, time.time()),
            )
            run.executemany("INSERT INTO requests VALUES (?, ?)", ((id, token) for id in requests))

    def created(self, token: str, batch: str) -> None:
        """Note the name under which OpenAI created it."""
        with self._transaction() as run:
            run.execute("UPDATE batches SET batch = ? WHERE token = ?", (batch, token))

    def of_request(self, request: str) -> Note | None:
        """The latest batch that holds a request's reply, or will."""
        query = """SELECT token, noted, batch FROM requests JOIN batches USING (token)
        WHERE id = ? AND address = ? ORDER BY noted DESC LIMIT 1"""
        with self._explained():
            row = self._connection.execute(query, (request, self._address)).fetchone()
        return Note(*row) if row else None

    def forget(self, token: str, requests: Iterable[str]) -> None:
        """Forget requests that were read, or that the batch does not answer; at last the batch."""
        with self._transaction() as run:
            run.executemany(
                "DELETE FROM requests WHERE id = ? AND token = ?", ((id, token) for id in requests)
            )
            run.execute(_FORGET_EMPTY, (token,))

    def close(self) -> None:
        """Leave the file."""
        self._connection.close()

    def _forget_old(self) -> None:
        before = (time.time() - _KEPT,)
        with self._transaction() as run:
            run.execute(_FORGET_OLD, before)
            run.execute("DELETE FROM batches WHERE noted < ?", before)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SftrecipeError(
                "batch-notes", "batch-notes", path=str(self._path), error=str(error)
            ) from error
