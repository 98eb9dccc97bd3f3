"""Reading what a GGUF file says of its model before the weights begin."""

from __future__ import annotations

import mmap
from collections.abc import Collection
from pathlib import Path
from struct import Struct, calcsize, unpack_from
from typing import Any

_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _LIST = 8, 9
_SIZE = Struct("<Q")


def read_gguf_header(path: Path, names: Collection[str]) -> dict[str, Any]:
    """The named entries; texts as UTF-8 bytes. Raises ValueError for another kind of file.

    Source: ggml's docs/gguf.md, versions 2 and 3.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"GGUF":
            raise ValueError(f"'{path}' is no GGUF file")
        (entries,) = _SIZE.unpack_from(data, 16)
        at, found, wanted = 24, {}, set(names)
        for _ in range(entries):
            name, at = _text(data, at)
            (kind,) = unpack_from("<I", data, at)
            value, at = _value(data, at + 4, kind)
            if name.decode() in wanted:
                found[name.decode()] = value
            if len(found) == len(wanted):
                break
        return found


def _value(data: mmap.mmap, at: int, kind: int) -> tuple[Any, int]:
    if kind == _TEXT:
        return _text(data, at)
    if kind == _LIST:
        inner, count = unpack_from("<IQ", data, at)
        return _list(data, at + 12, inner, count)
    form = f"<{_NUMBERS[kind]}"
    return unpack_from(form, data, at)[0], at + calcsize(form)


def _list(data: mmap.mmap, at: int, kind: int, count: int) -> tuple[Any, int]:
    if kind in _NUMBERS:
        form = f"<{count}{_NUMBERS[kind]}"
        return unpack_from(form, data, at), at + calcsize(form)
    values: list[Any] = []
    if kind == _TEXT:  # vocabularies: as few steps a token as can be
        add, size = values.append, _SIZE.unpack_from
        for _ in range(count):
            end = at + 8 + size(data, at)[0]
            add(data[at + 8 : end])
            at = end
        return values, at
    for _ in range(count):
        value, at = _value(data, at, kind)
        values.append(value)
    return values, at


def _text(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    end = at + 8 + _SIZE.unpack_from(data, at)[0]
    return data[at + 8 : end], end
