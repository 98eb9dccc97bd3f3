"""Drawing rows by their ids: seeded, stable, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sftrecipe.plugin import Context, Pick

CHUNK = 65536
"""Picks that are made into objects at the same time."""

Numbers = NDArray[np.uint64]


class Picks(Sequence[Pick]):
    """Picks as two arrays: 6 bytes each."""

    def __init__(self, names: Sequence[str], streams: NDArray[np.uint16], rows: NDArray[np.uint32]):
        self._names = names
        self._streams = streams
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Pick: ...
    @overload
    def __getitem__(self, at: slice) -> Picks: ...
    def __getitem__(self, at: int | slice) -> Pick | Picks:
        if isinstance(at, slice):
            return Picks(self._names, self._streams[at], self._rows[at])
        return Pick(self._names[self._streams[at]], int(self._rows[at]))

    def __iter__(self) -> Iterator[Pick]:
        names = self._names
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            streams, rows = self._streams[part].tolist(), self._rows[part].tolist()
            for stream, row in zip(streams, rows, strict=True):
                yield Pick(names[stream], row)

    def sums(self, sizes: Mapping[str, NDArray[np.uint32]]) -> dict[str, tuple[int, int]]:
        """Of every stream, how many rows are picked, and the sum of their sizes."""
        found = {}
        for place, name in enumerate(self._names):
            rows = self._rows[self._streams == place]
            found[name] = len(rows), int(sizes[name][rows].sum(dtype=np.int64))
        return found


def draw(
    wanted: Mapping[str, tuple[Iterator[str], int]],
    ctx: Context,
    sizes: Mapping[str, NDArray[np.uint32]] | None = None,
) -> Picks:
    """So many rows of each stream, out of their ids, shuffled together.

    Every row has a number that depends on the seed, the step and its id; the smallest are drawn
    (rendezvous hashing). When more are wanted than there are, all are taken as often as that goes.
    The order follows a second number of that kind. Needs 16 bytes a row that is offered and some
    30 a row that is drawn. With `sizes`, a size is wanted, not a number of rows: as near to it as
    whole rows come.
    """
    names = list(wanted)
    streams, rows, orders = [], [], []
    for place, (name, (ids, count)) in enumerate(wanted.items()):
        draws, order = _numbers(ids, ctx)
        by_draw = np.argsort(draws, kind="stable")
        if sizes is None:
            times, rest = divmod(count, len(draws)) if len(draws) else (0, 0)
        else:
            times, rest = _filling(sizes[name][by_draw], count)
        drawn = np.sort(by_draw[:rest]).astype(np.uint32)
        every = np.arange(len(draws), dtype=np.uint32)
        copies = [every] * times + [drawn]
        for number, copy in enumerate(copies):
            orders.append(_mixed(order[copy], number))
            rows.append(copy)
            streams.append(np.full(len(copy), place, np.uint16))
    all_rows, all_streams = np.concatenate(rows), np.concatenate(streams)
    shuffled = np.lexsort((all_rows, all_streams, np.concatenate(orders)))
    return Picks(names, all_streams[shuffled], all_rows[shuffled])


def _filling(sizes: NDArray[np.uint32], size: int) -> tuple[int, int]:
    """How often all rows, and how many of the first once more, come nearest to a size."""
    ends = np.cumsum(sizes, dtype=np.int64)
    whole = int(ends[-1]) if len(ends) else 0
    times, left = divmod(size, whole) if whole else (0, 0)
    under = int(np.searchsorted(ends, left, side="right"))
    if under == len(ends):
        return times, under
    below = int(ends[under - 1]) if under else 0
    return times, under + (int(ends[under]) - left < left - below)


def _numbers(ids: Iterator[str], ctx: Context) -> tuple[Numbers, Numbers]:
    """Two independent numbers of every id: for the draw, and for the order."""
    salt = ctx.number("mix").to_bytes(8, "big")
    made = bytearray()
    while part := list(islice(ids, CHUNK)):
        made += b"".join(
            [blake2b(name.encode(), digest_size=16, salt=salt).digest() for name in part]
        )
    pairs = np.frombuffer(bytes(made), dtype=">u8").reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def _mixed(numbers: Numbers, copy: int) -> Numbers:
    """Other numbers for another copy of the rows (splitmix64's finish)."""
    if not copy:
        return numbers
    mixed = numbers + np.uint64(copy * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
