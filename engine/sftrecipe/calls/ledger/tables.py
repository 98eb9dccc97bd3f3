"""What a ledger's database may consist of: what a new one consists of, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from functools import cache

_SCHEMA = "SELECT type, name, sql FROM sqlite_master"
_SQLITES_OWN = ("sqlite_autoindex_", "sqlite_stat")


def strange_parts(connection: sqlite3.Connection, script: str) -> list[str]:
    """Tables, columns, indexes, views and triggers that the script does not make.

    An earlier version's ledger lacks some; none has more.
    """
    known = _known(script)
    return [
        f"{kind} {name}"
        for kind, name, sql in connection.execute(_SCHEMA)
        if not (name.startswith(_SQLITES_OWN) and kind in ("index", "table"))
        if not _is_known(sql or "", known.get((kind, name)))
    ]


def lacking_columns(
    connection: sqlite3.Connection, script: str, later: Collection[tuple[str, str | None]]
) -> list[str]:
    """Columns of the script's tables that are not there; `later`: those that need not be, None
    for all of a table."""
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript(script)
        known = _columns(new)
    return [
        f"column {table}.{name}"
        for table, name in sorted(known - _columns(connection))
        if (table, name) not in later and (table, None) not in later
    ]


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return {
        (table, column)
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not table.startswith("sqlite_")
        for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }


def _is_known(sql: str, known: str | None) -> bool:
    if known is None:
        return False
    head, columns, tail = _parts(sql)
    known_head, known_columns, known_tail = _parts(known)
    return (head, tail) == (known_head, known_tail) and columns <= known_columns


@cache
def _known(script: str) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        return {(kind, name): sql or "" for kind, name, sql in connection.execute(_SCHEMA)}


def _parts(sql: str) -> tuple[str, frozenset[str], str]:
    """A definition in three: before its outer brackets, what stands in them, behind them."""
    text = " ".join(sql.split())
    begin, end = text.find("("), _end_of_brackets(text)
    return text[:begin].strip(), frozenset(_items(text[begin + 1 : end])), text[end + 1 :].strip()


def _end_of_brackets(text: str) -> int:
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            return place
    return len(text)


def _items(text: str) -> Iterator[str]:
    """What commas part that stand in no brackets."""
    depth, begin = 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[begin:place].strip()
            begin = place + 1
    yield text[begin:].strip()
