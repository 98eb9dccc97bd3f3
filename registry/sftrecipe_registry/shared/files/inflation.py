"""How much comes out of a small compressed file: refused before it fills the memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sftrecipe.plugin import PluginRefused, Texts

texts = Texts(__package__)
LARGEST = 64 * 1024 * 1024
"""Bytes that any file may hold."""
RATIO = 200
"""Times its own size that a larger content may be: texts shrink to a tenth, seldom a fiftieth."""
AT_ONCE = 16 * 1024 * 1024
"""Bytes of rows that are held at a time, one row excepted."""
_ROWS = 1000
_RECORD_BATCH, _DICTIONARY_BATCH = 3, 2


class Inflation:
    """What has come out of one file so far."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._size = path.stat().st_size
        self._most = max(LARGEST, RATIO * self._size)
        self._total = 0

    def add(self, inflated: int) -> None:
        """Count bytes. Raises PluginRefused where they are more than such a file may hold."""
        self._total += inflated
        if self._total > self._most:
            raise too_large(self._name, self._size, self._total)

    def check(self, inflated: int, packed: int) -> None:
        """Look at a part before it is read. Raises PluginRefused where it grows beyond measure."""
        if inflated > max(LARGEST, RATIO * packed):
            raise too_large(self._name, self._size, inflated)


def too_large(name: str, size: int, inflated: int) -> PluginRefused:
    """The refusal of a file of that size of which so much comes out."""
    most = {"mebibytes": LARGEST >> 20, "ratio": RATIO}
    return PluginRefused(texts("inflates-far", file=name, size=size, inflated=inflated, **most))


def batch_size(batch: Any) -> tuple[int, int]:
    """Bytes of a batch's values, and of the longest one that stands once for many rows."""
    sizes = [_array_size(column) for column in batch.columns]
    return sum(size for size, _ in sizes), max((longest for _, longest in sizes), default=0)


def rows_at_once(longest: int) -> int:
    """Rows to make of a batch at a time, where a value of that length may stand in each."""
    return max(1, min(_ROWS, AT_ONCE // max(1, longest)))


def _array_size(array: Any) -> tuple[int, int]:
    import pyarrow as pa  # noqa: PLC0415 - imported by whoever has a batch
    import pyarrow.compute as pc  # noqa: PLC0415

    kind = array.type
    if not pa.types.is_dictionary(kind):
        if pa.types.is_nested(kind) and _has_dictionary(kind):
            sizes = [_array_size(part) for part in _parts(array)]
            return sum(size for size, _ in sizes), max((each for _, each in sizes), default=0)
        return array.nbytes, 0
    values = array.dictionary
    if not (_is_text(values.type) and len(values)):
        longest = values.nbytes
        return max(array.nbytes, longest * len(array)) if _grows(values) else array.nbytes, longest
    lengths = pc.binary_length(values)
    total = pc.sum(pc.take(lengths, array.indices)).as_py() or 0
    return array.indices.nbytes + total, pc.max(lengths).as_py() or 0


def _grows(values: Any) -> bool:
    """Whether a value of a dictionary may be large: it is neither a text nor a number."""
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_nested(values.type))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    tests = (pa.types.is_string, pa.types.is_large_string)
    return any(test(kind) for test in (*tests, pa.types.is_binary, pa.types.is_large_binary))


def _has_dictionary(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_dictionary(kind):
        return True
    return any(_has_dictionary(kind.field(at).type) for at in range(kind.num_fields))


def _parts(array: Any) -> Iterator[Any]:
    """What a nested array is made of."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_struct(array.type):
        yield from array.flatten()
    elif pa.types.is_map(array.type):
        yield from (array.keys, array.items)
    else:
        yield array.flatten()


def packed_batches(messages: Any) -> Iterator[tuple[int, int]]:
    """Of every compressed batch of an Arrow file's messages: bytes inflated, and as they lie there.

    Read from the messages alone, as the Arrow columnar format describes them. Raises ValueError.
    """
    try:
        for message in messages:
            buffers = list(_packed_buffers(memoryview(message.metadata)))
            if buffers:
                body = memoryview(message.body)
                inflated = (_inflated(body, at, length) for at, length in buffers if length > 8)
                yield sum(inflated), len(body)
    except (struct.error, IndexError) as error:
        raise ValueError(texts("message-damaged", error=error)) from error


def _inflated(body: memoryview, at: int, length: int) -> int:
    (size,) = struct.unpack_from("<q", body, at)
    return length if size == -1 else abs(int(size))


def _packed_buffers(message: memoryview) -> Iterator[tuple[int, int]]:
    """Place and length of a batch's buffers where they are compressed (Message.fbs)."""
    table = _Table(message, struct.unpack_from("<I", message, 0)[0])
    kind = table.number(1, "<B")
    batch = table.table(2) if kind in (_RECORD_BATCH, _DICTIONARY_BATCH) else None
    if batch is not None and kind == _DICTIONARY_BATCH:
        batch = batch.table(1)
    if batch is None or batch.place(3) is None or (start := batch.place(2)) is None:
        return
    start += struct.unpack_from("<I", message, start)[0]
    for index in range(struct.unpack_from("<I", message, start)[0]):
        yield struct.unpack_from("<qq", message, start + 4 + 16 * index)


class _Table:
    """A table of a flatbuffer."""

    def __init__(self, data: memoryview, at: int) -> None:
        self._data = data
        self._at = at

    def place(self, field: int) -> int | None:
        """Where a field stands; None where it is left out."""
        fields = self._at - struct.unpack_from("<i", self._data, self._at)[0]
        (size,) = struct.unpack_from("<H", self._data, fields)
        offset = 4 + 2 * field
        found = struct.unpack_from("<H", self._data, fields + offset)[0] if offset < size else 0
        return self._at + found if found else None

    def number(self, field: int, form: str) -> int:
        """A number's value, 0 where it is left out."""
        place = self.place(field)
        return 0 if place is None else int(struct.unpack_from(form, self._data, place)[0])

    def table(self, field: int) -> _Table | None:
        """A table that a field leads to."""
        place = self.place(field)
        if place is None:
            return None
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])
