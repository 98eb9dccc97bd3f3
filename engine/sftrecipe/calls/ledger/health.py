"""How a ledger is: read and checked, and left as it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sftrecipe.calls.ledger.connection import connect
from sftrecipe.calls.ledger.database import (
    CHECKED_BYTES,
    check_kind,
    damaged,
    explained,
    fault_found,
    unclosed,
)


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
