"""Rows as plugins are given them: in memory, the first of others, several streams as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from sftrecipe.plugin.context import Rows
from sftrecipe.record import Record


class RowsInMemory(list[Record]):
    """Rows in a list."""

    def ids(self) -> Iterator[str]:
        """The rows' ids, in order."""
        return (row.id for row in self)


class FirstRows:
    """The first of other rows."""

    def __init__(self, rows: Rows, count: int) -> None:
        self._rows = rows
        self._count = count

    def __len__(self) -> int:
        return min(len(self._rows), self._count)

    def __iter__(self) -> Iterator[Record]:
        return islice(self._rows, self._count)

    def ids(self) -> Iterator[str]:
        """The rows' ids, in order."""
        return islice(self._rows.ids(), self._count)


class JoinedRows:
    """Several streams, one after the other."""

    def __init__(self, streams: Sequence[Rows]) -> None:
        self._streams = streams

    def __len__(self) -> int:
        return sum(len(stream) for stream in self._streams)

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._streams)

    def ids(self) -> Iterator[str]:
        """The rows' ids, in order."""
        return chain.from_iterable(stream.ids() for stream in self._streams)


def joined_rows(streams: Sequence[Rows]) -> Rows:
    """Streams as one; a single one stays what it is."""
    return streams[0] if len(streams) == 1 else JoinedRows(streams)
