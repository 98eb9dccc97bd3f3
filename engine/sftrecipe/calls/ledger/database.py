"""The ledger's file: its tables, how it is made, and what is checked before it is used."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sftrecipe.calls.ledger import accounts
from sftrecipe.calls.ledger.connection import connect
from sftrecipe.calls.ledger.engines import lives
from sftrecipe.calls.ledger.tables import lacking_columns, strange_parts
from sftrecipe.calls.replies import whole_replies
from sftrecipe.errors import SftrecipeError
from sftrecipe.store.atomic_files import locked, refuse_few_handles

APPLICATION = 0x53465452
VERSION = 4
CHECKED_BYTES = 1 << 30
"""A ledger above this size is not read through after a crash: SQLite's journal holds it anyway."""

LINKLESS = {errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What a file system says that has no hard links."""

_TABLES = f"""
PRAGMA journal_mode = WAL;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE engines (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL,
  run TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started REAL NOT NULL,
  closed REAL
);
CREATE TABLE calls (
  key TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('asking', 'done', 'failed', 'refused')),
  engine INTEGER NOT NULL REFERENCES engines (id),
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  run TEXT NOT NULL,
  step TEXT NOT NULL,
  asked REAL NOT NULL,
  attempts INTEGER NOT NULL,
  latency REAL,
  reply TEXT,
  finish TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  logprobs BLOB,
  vector BLOB,
  cost REAL,
  input_price REAL,
  output_price REAL,
  currency TEXT,
  priced TEXT,
  error TEXT,
  request TEXT NOT NULL,
  raw TEXT,
  lost_tokens INTEGER NOT NULL DEFAULT 0,
  lost_cost REAL NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cached_price REAL,
  estimated INTEGER NOT NULL DEFAULT 0,
  reasoning TEXT,
  tool_calls TEXT
);
CREATE INDEX calls_unanswered ON calls (state, engine) WHERE state <> 'done';
{accounts.TABLE}{whole_replies.TABLE}"""
_ONCE = "CREATE INDEX calls_run ON calls (run);"
"""What an earlier version's ledger has; the accounts stand in its place."""

_COLUMNS_SINCE = {
    2: (
        ("lost_tokens", "INTEGER NOT NULL DEFAULT 0"),
        ("lost_cost", "REAL NOT NULL DEFAULT 0"),
    ),
    3: (
        ("cached_tokens", "INTEGER NOT NULL DEFAULT 0"),
        ("cached_price", "REAL"),
        ("estimated", "INTEGER NOT NULL DEFAULT 0"),
    ),
    4: (
        ("reasoning", "TEXT"),
        ("tool_calls", "TEXT"),
    ),
}
"""Columns of calls that came with a version."""
_ACCOUNTS_SINCE, _WHOLE_REPLIES_SINCE = 3, 4
_OF_THE_SCHEMA = ("no such table", "no such column", "duplicate column", "already exists")
"""What SQLite says of a file whose tables are not those that it tells to have."""


def engines_folder(path: Path) -> Path:
    """Where the lock files of the engines lie that use a ledger."""
    return path.parent / "engines"


def open_ledger(path: Path) -> sqlite3.Connection:
    """A connection to a ledger, which is made when there is none.

    Raises SftrecipeError: newer, foreign, damaged, or not to be written.
    """
    with explained(path):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        connection = connect(path)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything or nothing, with no other engine writing meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Tell what SQLite and the file system say in the user's words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        refuse_few_handles()
        if any(words in str(error) for words in _OF_THE_SCHEMA):
            raise damaged(path, str(error)) from error
        slug = "ledger-write"
        if "unable to open" in str(error) or "readonly" in str(error):
            slug = "ledger-unwritable"
        raise SftrecipeError(slug, slug, path=str(path), error=str(error)) from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        refuse_few_handles()
        text = error.strerror or str(error)
        raise SftrecipeError(
            "ledger-unwritable", "ledger-unwritable", path=str(path), error=text
        ) from error


def damaged(path: Path, detail: str) -> SftrecipeError:
    """The error of a ledger that cannot be trusted: it is left as it is."""
    return SftrecipeError("ledger-damaged", "ledger-damaged", path=str(path), error=detail)


def _make(path: Path) -> None:
    """Make it whole under another name first: no moment shows a half-made ledger."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.executescript(_TABLES)
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            _name(new, path)
    finally:
        for suffix in ("", "-wal", "-shm"):
            new.with_name(new.name + suffix).unlink(missing_ok=True)


def _name(new: Path, path: Path) -> None:
    """Give a new ledger its name, unless there is one. Raises FileExistsError, SftrecipeError."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in LINKLESS:
            raise
        with locked(path.parent):  # a file system without links
            if not path.exists():
                new.rename(path)


def check_kind(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is empty, no ledger, a newer engine's, or holds more than a ledger does.

    Raises SftrecipeError.
    """
    if path.stat().st_size == 0:
        raise damaged(path, "the file is empty")
    application = _number(connection, "application_id")
    version = _number(connection, "user_version")
    if application != APPLICATION:
        raise SftrecipeError("ledger-foreign", "ledger-foreign", path=str(path))
    if version > VERSION:
        raise SftrecipeError("ledger-newer", "ledger-newer", path=str(path), version=version)
    if strange := strange_parts(connection, _TABLES + _ONCE):
        raise SftrecipeError(
            "ledger-altered", "ledger-altered", path=str(path), found=", ".join(strange)
        )
    if version < 1:
        raise damaged(path, f"format {version}")
    if lacks := lacking_columns(connection, _TABLES, _later(version)):
        raise damaged(path, "missing: " + ", ".join(lacks))


def _later(version: int) -> set[tuple[str, str | None]]:
    """What came after a version: columns of calls, and whole tables."""
    since = [more for began, more in _COLUMNS_SINCE.items() if began > version]
    found: set[tuple[str, str | None]] = {("calls", name) for more in since for name, _ in more}
    tables = {"accounts": _ACCOUNTS_SINCE, "whole_replies": _WHOLE_REPLIES_SINCE}
    return found | {(name, None) for name, since in tables.items() if version < since}


def check_header(path: Path) -> None:
    """Refuse a newer engine's file by its first bytes. Raises SftrecipeError."""
    with path.open("rb") as file:
        head = file.read(100)
    version, application = (int.from_bytes(head[at : at + 4]) for at in (60, 68))
    if application == APPLICATION and version > VERSION:
        raise SftrecipeError("ledger-newer", "ledger-newer", path=str(path), version=version)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring an older ledger to this version; engines that have it open may go on."""
    if _number(connection, "user_version") == VERSION:
        return
    with transaction(connection):
        version = _number(connection, "user_version")
        for later in range(version + 1, VERSION + 1):
            for name, kind in _COLUMNS_SINCE.get(later, ()):
                connection.execute(f"ALTER TABLE calls ADD COLUMN {name} {kind}")
        if version < _ACCOUNTS_SINCE:
            connection.execute(accounts.TABLE)
            accounts.fill(connection)
            connection.execute("DROP INDEX IF EXISTS calls_run")
        if version < _WHOLE_REPLIES_SINCE:
            connection.execute(whole_replies.TABLE)
            whole_replies.fill(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    check_kind(connection, path)
    dead = unclosed(connection, path)
    if dead:
        if path.stat().st_size <= CHECKED_BYTES and (fault := fault_found(connection)):
            raise damaged(path, fault)
        marks = [(identity,) for identity in dead]
        connection.executemany("UPDATE engines SET closed = 0 WHERE id = ?", marks)
    else:
        connection.execute("SELECT max(rowid) FROM calls").fetchone()
    upgrade(connection)


def unclosed(connection: sqlite3.Connection, path: Path) -> list[int]:
    """The engines that died without closing the ledger."""
    open_engines = connection.execute("SELECT id, token FROM engines WHERE closed IS NULL")
    folder = engines_folder(path)
    return [identity for identity, token in open_engines.fetchall() if not lives(folder, token)]


def fault_found(connection: sqlite3.Connection) -> str | None:
    """What SQLite's own check finds wrong, if anything."""
    lines = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    return None if lines == ["ok"] else "; ".join(lines)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


class LedgerHealth(NamedTuple):
    """Facts of a ledger."""

    bytes: int
    version: int
    """Of its format."""
    calls: int
    in_flight: int
    """Calls that an engine which lives is waiting for."""
    lost: int
    """Calls that were in flight when their engine was killed."""
    left: int
    """Calls that have no reply since their engine ended before, in order."""
    read_through: bool
    """Whether SQLite's check has read it; one above 1 GiB is not read for this."""


def ledger_health(path: Path) -> LedgerHealth | None:
    """The facts; None where there is no ledger. Raises SftrecipeError: damaged, foreign, newer."""
    if not path.exists():
        return None
    with explained(path), closing(connect(path)) as connection:
        check_kind(connection, path)
        size = path.stat().st_size
        if size <= CHECKED_BYTES and (fault := fault_found(connection)):
            raise damaged(path, fault)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (calls,) = connection.execute("SELECT count(*) FROM calls").fetchone()
        asking = connection.execute(
            "SELECT engine, count(*) FROM calls WHERE state = 'asking' GROUP BY engine"
        ).fetchall()
        closed = dict(connection.execute("SELECT id, closed FROM engines").fetchall())
        dead = set(unclosed(connection, path)) if asking else set()
        lost = left = in_flight = 0
        for engine, count in asking:
            if engine in dead or closed.get(engine) == 0:
                lost += count
            elif closed.get(engine) is None:
                in_flight += count
            else:
                left += count
        return LedgerHealth(size, version, calls, in_flight, lost, left, size <= CHECKED_BYTES)
