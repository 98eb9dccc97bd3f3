"""Where the rows of a JSON file stand: in a list, under a key, as an object's values or columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

import orjson

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import utf8_chunks
from sftrecipe_registry.shared.readers.json_list import items_of
from sftrecipe_registry.shared.readers.json_values import json_value
from sftrecipe_registry.shared.readers.row_repairs import MendedRow
from sftrecipe_registry.shared.readers.rows import Found

texts = Texts(__package__)
Layout = Literal["rows", "values", "columns"]
LARGEST = 256 * 1024 * 1024
"""Bytes of a file of columns, which is read whole."""

TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:"]', re.DOTALL)
"""Whole strings, what opens and closes, and the quote of a string that is not whole yet."""
_OPENING = b"[{"
_SHOWN = 8


def laid_out_rows(
    file: DataFile, encoding: str, key: str | None, layout: Layout | None
) -> Iterator[Found]:
    """The rows of a JSON file as its layout says. Raises PluginRefused, OSError."""
    chunks = utf8_chunks(file, encoding)
    if layout == "columns":
        return _of_columns(file, chunks, key)
    path = key.split(".") if key else []
    if not path and layout != "values":
        return items_of(chunks)
    place = _place(chunks, path, file.name)
    wanted = b"{" if layout == "values" else b"["
    if place.opened != wanted[0]:
        slug = "object-there" if place.opened == _OPENING[1] else "list-there"
        raise PluginRefused(texts(slug, file=file.name))
    return items_of(chain([place.rest], chunks), place.opened, place.line)


class _Place(NamedTuple):
    """The inside of a bracket."""

    opened: int
    rest: bytes
    """What was read behind it."""
    line: int


class _Keys:
    """Walks into a JSON text, key by key, until the value of the last one opens."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = list(path)
        """What is still to be entered."""
        self._level = -1
        """Objects that were entered, from the outermost, but it."""
        self._depth = 0
        self._string = b""
        self._key: str | None = None
        self.seen: list[str] = []

    def opens(self, text: bytes, token: re.Match[bytes]) -> bool:
        """Whether the wanted value opens with this token."""
        first = text[token.start()]
        if first == _QUOTE:
            self._string = token[0]
        elif first == _COLON:
            if self._depth == self._level + 1:
                self._key = _unquoted(self._string)
                self.seen.append(self._key)
        elif first not in _OPENING:
            self._depth -= 1
        elif self._enters():
            self._level, self._depth = self._level + 1, self._depth + 1
            self.seen = [] if self._path else self.seen
            return not self._path
        else:
            self._depth += 1
        return False

    def _enters(self) -> bool:
        """Whether the path leads through what opens; the keys that do are taken off it."""
        if self._level < 0:
            return self._depth == 0
        taken = _taken(self._path, self._key) if self._depth == self._level + 1 else 0
        del self._path[:taken]
        return taken > 0


def _taken(path: Sequence[str], key: str | None) -> int:
    """How much of a path is this one key, which may hold dots itself."""
    return next((n for n in range(1, len(path) + 1) if ".".join(path[:n]) == key), 0)


def _place(chunks: Iterator[bytes], path: Sequence[str], name: str) -> _Place:
    """The inside of what a path of keys leads to. Raises PluginRefused."""
    keys, text, at, line = _Keys(path), b"", 0, 1
    for chunk in chunks:
        line += text.count(b"\n", 0, at)
        text, at = text[at:] + chunk, 0
        for token in TOKEN.finditer(text):
            if token[0] == b'"':
                break  # a string that is not complete yet
            at = token.end()
            if keys.opens(text, token):
                line += text.count(b"\n", 0, at)
                return _Place(text[at - 1], text[at:], line)
    there = ", ".join(dict.fromkeys(keys.seen[:_SHOWN])) or texts("none")
    raise PluginRefused(texts("nothing-under-key", file=name, key=".".join(path), keys=there))


def _of_columns(file: DataFile, chunks: Iterator[bytes], key: str | None) -> Iterator[Found]:
    """The rows of columns that stand side by side. Raises PluginRefused."""
    parts, size = [], 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            raise PluginRefused(texts("columns-too-large", file=file.name, mebibytes=LARGEST >> 20))
    text = b"".join(parts)
    try:
        value = json_value(text)
    except orjson.JSONDecodeError as error:
        raise PluginRefused(texts("no-json", file=file.name, error=error)) from error
    mended = value.mended if isinstance(value, MendedRow) else []
    path = key.split(".") if key else []
    while path:
        named = value if isinstance(value, Mapping) else {}
        taken = max((_taken(path, name) for name in named), default=0)
        value = named[".".join(path[:taken])] if taken else None
        path = path[taken:] if taken else []
    columns = columns_of(value)
    if columns is None:
        raise PluginRefused(texts("no-columns", file=file.name))
    names = [*columns]
    for number, cells in enumerate(zip(*columns.values(), strict=True), 1):
        row = dict(zip(names, cells, strict=True))
        yield number, MendedRow(row, list(mended)) if mended and number == 1 else row


def columns_of(value: Any) -> dict[str, Sequence[Any]] | None:
    """Columns of one length, as lists or (pandas) objects with numbers for keys; None if not."""
    if not isinstance(value, Mapping) or not value:
        return None
    columns = dict(value)
    if all(isinstance(each, Mapping) for each in columns.values()):
        names = [list(each) for each in columns.values()]
        if any(each != names[0] or not all(map(str.isdigit, each)) for each in names):
            return None
        columns = {name: list(each.values()) for name, each in columns.items()}
    if not all(isinstance(each, list) and each for each in columns.values()):
        return None
    return columns if len({len(each) for each in columns.values()}) == 1 else None


def _unquoted(text: bytes) -> str:
    try:
        return str(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text.decode("utf-8", "replace")


_QUOTE, _COLON = b'":'
