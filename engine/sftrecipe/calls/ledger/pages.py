"""Reading rows out of the pages of a damaged SQLite file, without its indexes and its tree.

Whole pages of a table's leaves are enough: each holds its rows, or where the rest of a long one
lies. Formats: https://www.sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_MAGIC = b"SQLite format 3\x00"
_USUAL_SIZE = 4096
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER = 0x0D, 0x0A, 0x02
_WAL_HEADER, _FRAME_HEADER = 32, 24
_WAL_MAGIC = (0x377F0682, 0x377F0683)

Value = int | float | str | bytes | None
Row = tuple[Value, ...]


class Pages:
    """The pages of a database file, with those of its write-ahead log laid over them."""

    def __init__(self, path: Path, file: mmap.mmap) -> None:
        self._file = file
        self._size = _page_size(file[:100])
        log = path.with_name(path.name + "-wal")
        self._logged = _committed(log.read_bytes(), self._size) if log.exists() else {}
        self._count = max(len(file) // self._size, *self._logged, 0)
        self._free = self._free_pages()

    def rows(self) -> Iterator[Row]:
        """The rows of all tables that can still be read whole, in no particular order."""
        return self._cells({_TABLE_LEAF: self._row})

    def entries(self) -> Iterator[Row]:
        """The entries of all indexes that can still be read whole."""
        return self._cells({_INDEX_LEAF: self._entry, _INDEX_INNER: self._inner_entry})

    def _cells(self, readers: Mapping[int, Callable[[bytes, int], Row]]) -> Iterator[Row]:
        for number in range(1, self._count + 1):
            page = self._page(number)
            start = 100 if number == 1 else 0
            if number in self._free or (kind := page[start]) not in readers:
                continue
            pointers = start + (12 if kind == _INDEX_INNER else 8)
            for cell in range(int.from_bytes(page[start + 3 : start + 5])):
                at = pointers + 2 * cell
                try:
                    yield readers[kind](page, int.from_bytes(_slice(page, at, 2)))
                except (IndexError, ValueError, struct.error):
                    continue  # the cell is damaged, or the page is none

    def _page(self, number: int) -> bytes:
        """A page. Raises IndexError where there is none."""
        if number in self._logged:
            return self._logged[number]
        return _slice(self._file, (number - 1) * self._size, self._size)

    def _row(self, page: bytes, place: int) -> Row:
        length, place = _varint(page, place)
        _, place = _varint(page, place)  # the row's number
        return _record(self._payload(page, place, length, self._size - 35))

    def _entry(self, page: bytes, place: int) -> Row:
        length, place = _varint(page, place)
        return _record(self._payload(page, place, length, (self._size - 12) * 64 // 255 - 23))

    def _inner_entry(self, page: bytes, place: int) -> Row:
        return self._entry(page, place + 4)  # behind the number of a page below

    def _payload(self, page: bytes, place: int, length: int, most: int) -> bytes:
        """A cell's bytes: those in the page, `most` at most, and those that overflowed."""
        if length <= most:
            return _slice(page, place, length)
        beyond = self._size - 4
        least = (self._size - 12) * 32 // 255 - 23
        kept = least + (length - least) % beyond
        kept = kept if kept <= most else least
        parts, missing = [_slice(page, place, kept)], length - kept
        following = int.from_bytes(_slice(page, place + kept, 4))
        while missing > 0:
            overflow = self._page(following)
            following = int.from_bytes(overflow[:4])
            parts.append(overflow[4 : 4 + missing])
            missing -= beyond
        if following != 0:
            raise ValueError("the chain of pages is longer than the row")
        return b"".join(parts)

    def _free_pages(self) -> set[int]:
        """Pages that hold what was deleted, as far as the list of them can be read."""
        free: set[int] = set()
        trunk = int.from_bytes(self._page(1)[32:36]) if self._count else 0
        while 0 < trunk <= self._count and trunk not in free:
            free.add(trunk)
            page = self._page(trunk)
            count = min(int.from_bytes(page[4:8]), self._size // 4 - 2)
            free |= set(struct.unpack(f">{count}I", page[8 : 8 + 4 * count]))
            trunk = int.from_bytes(page[:4])
        return free


def _page_size(content: bytes) -> int:
    if not content.startswith(_MAGIC):
        return _USUAL_SIZE
    size = int.from_bytes(content[16:18])
    size = 65536 if size == 1 else size
    return size if size >= 512 and size & (size - 1) == 0 else _USUAL_SIZE


def _committed(log: bytes, size: int) -> dict[int, bytes]:
    """The last committed state of every page in a write-ahead log."""
    if len(log) < _WAL_HEADER or int.from_bytes(log[:4]) not in _WAL_MAGIC:
        return {}
    order = "big" if log[3] & 1 else "little"
    salt = log[16:24]
    sums = _checksum(log[:24], (0, 0), order)
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for start in range(_WAL_HEADER, len(log) - size - _FRAME_HEADER + 1, _FRAME_HEADER + size):
        head = log[start : start + _FRAME_HEADER]
        page = log[start + _FRAME_HEADER : start + _FRAME_HEADER + size]
        sums = _checksum(page, _checksum(head[:8], sums, order), order)
        if head[8:16] != salt or struct.unpack(">2I", head[16:24]) != sums:
            break  # left over from before, or torn
        pending[int.from_bytes(head[:4])] = page
        if int.from_bytes(head[4:8]):
            committed |= pending
            pending.clear()
    return committed


def _checksum(content: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{'>' if order == 'big' else '<'}{len(content) // 4}I", content)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second


def _record(payload: bytes) -> Row:
    """The values of a row. Raises ValueError, IndexError or struct.error where it is none."""
    head, place = _varint(payload, 0)
    types = []
    while place < head:
        kind, place = _varint(payload, place)
        types.append(kind)
    if place != head:
        raise ValueError("the header of the row does not end where it says")
    values: list[Value] = []
    for kind in types:
        value, place = _value(payload, place, kind)
        values.append(value)
    if place != len(payload):
        raise ValueError("the row is longer than its values")
    return tuple(values)


_INTEGERS = (0, 1, 2, 3, 4, 6, 8)
"""Bytes of an integer by its type."""


def _value(payload: bytes, place: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, place
    if kind < 7:
        end = place + _INTEGERS[kind]
        return int.from_bytes(_slice(payload, place, end - place), signed=True), end
    if kind == 7:
        return struct.unpack(">d", _slice(payload, place, 8))[0], place + 8
    if kind in (8, 9):
        return kind - 8, place
    if kind < 12:
        raise ValueError("no such type of value")
    size = (kind - 12) // 2
    content = _slice(payload, place, size)
    return (content.decode() if kind % 2 else content), place + size


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    number = 0
    for _ in range(8):
        byte = content[place]
        place += 1
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place
    return number << 8 | content[place], place + 1


def _slice(content: bytes | mmap.mmap, place: int, length: int) -> bytes:
    found = content[place : place + length] if place >= 0 else b""
    if len(found) != length:
        raise IndexError("the page ends before the row")
    return found
