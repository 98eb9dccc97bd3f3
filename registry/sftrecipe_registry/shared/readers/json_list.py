"""Reading a JSON file item by item, in bounded memory: a list of objects, or objects in a row.

The file is cut into items by its brackets and strings alone; each item is then parsed by itself, so
that a malformed one costs nothing but itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import utf8_chunks
from sftrecipe_registry.shared.readers.json_lines import bad_json, kind
from sftrecipe_registry.shared.readers.json_values import json_value
from sftrecipe_registry.shared.readers.rows import BadLine, Found, shown

LONGEST_ITEM = 32 * 1024 * 1024
"""Bytes of an item that are held at most; a longer one is rejected."""

_STRING = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
_FLAT = rb'\{[^{}\[\]"]*+(?:' + _STRING + rb'[^{}\[\]"]*+)*+\}'
_TOKEN = re.compile(_FLAT + b"|" + _STRING + rb'|[\[\]{},"]')
"""An object that holds no other; a string; a bracket, a comma or a quotation mark by itself."""
_NAMED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"\s*:\s*', re.DOTALL)
"""What stands before an item of an object."""
_HEAD = 4096


def json_items(path: DataFile, encoding: str = "auto") -> Iterator[Found]:
    """Every item of the file's list, with the line where it begins. Raises OSError."""
    return items_of(utf8_chunks(path, encoding))


def items_of(chunks: Iterator[bytes], opened: int | None = None, line: int = 1) -> Iterator[Found]:
    """The items in a text's chunks; `opened`: it begins, at a line, inside this bracket."""
    reader = _Items(opened, line)
    for chunk in chunks:
        parts, size = [chunk], len(chunk)
        while size < reader.held and (more := next(chunks, b"")):
            parts.append(more)
            size += len(more)
        yield from reader.feed(b"".join(parts))
    yield from reader.end()


class _Items:
    """Where the reading stands; `feed` it the file, then `end` it."""

    def __init__(self, opened: int | None = None, line: int = 1) -> None:
        self._text = b""
        self._start = 0
        """Where the item begins that is being read."""
        self._at = 0
        """Up to where the text has been looked at."""
        self._depth = 0
        """Brackets that are open inside the item."""
        self._in_list = self._is_part = opened is not None
        """Whether what follows the list's end is not looked at."""
        self._end = _CLOSING_BRACE if opened == _BRACE else _LIST_END
        self._line = line
        """The line of `_start`."""
        self._too_long: BadLine | None = None
        self._is_lost = False
        self._begin_again = False

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        return len(self._text) - self._start

    def feed(self, chunk: bytes, *, is_last: bool = False) -> Iterator[Found]:
        """The items that end in this piece of the file."""
        if self._is_lost:
            return
        self._text = self._text[self._start :] + chunk
        self._at -= self._start
        self._start = 0
        yield from self._scan(is_last)
        if len(self._text) - self._start > LONGEST_ITEM:
            yield from self._shorten()

    def end(self) -> Iterator[Found]:
        """What is left at the end of the file."""
        yield from self.feed(b"", is_last=True)
        if self._is_lost:
            return
        while self._depth and (fresh := self._next_item()):
            yield self._unfinished(fresh)
            yield from self._scan(True)
        if self._depth:
            yield self._unfinished(len(self._text))
        elif self._in_list:
            rest = self._text[self._start :].strip()
            yield from self._taken(len(self._text)) if rest else ()
            line = self._line + self._text.count(b"\n", self._start)
            yield BadLine(line, "", "not_json", "the list does not end")
        else:
            yield from self._junk(len(self._text))

    def _scan(self, is_last: bool) -> Iterator[Found]:
        self._begin_again = True
        while self._begin_again and not self._is_lost:
            self._begin_again = False
            yield from self._scan_tokens(is_last)

    def _scan_tokens(self, is_last: bool) -> Iterator[Found]:
        text = self._text
        for token in _TOKEN.finditer(text, self._at):
            begin, end = token.span()
            first = text[begin]
            if first == _QUOTE:
                if end - begin == 1 and not is_last and text.find(b"\n", end) < 0:
                    self._at = begin  # a string that is not complete yet
                    return
            elif end - begin > 1:
                if not (self._depth or self._in_list):
                    yield from self._value(begin, end)
            elif first in _OPEN:
                if self._depth:
                    self._depth += 1
                else:
                    yield from self._opened(first, begin, end)
            elif first != _COMMA and self._depth > 1:
                self._depth -= 1
            elif first != _COMMA or not self._depth:
                yield from self._closed(first, begin, end)
                if self._begin_again:
                    return
            self._at = end

    def _opened(self, first: int, begin: int, end: int) -> Iterator[Found]:
        """A bracket opens that stands inside no item."""
        if self._in_list or first == _BRACE:
            if not self._in_list:
                yield from self._junk(begin)
            self._depth = 1
        else:
            yield from self._junk(begin)
            self._in_list = True
            self._move(end)

    def _closed(self, first: int, begin: int, end: int) -> Iterator[Found]:
        """A comma between items, or a bracket that closes an item or the list."""
        if self._depth and first == _LIST_END and self._in_list and self._is_object():
            yield self._unfinished(self._next_item() or begin)
            self._begin_again = True
        elif self._depth:
            self._depth = 0
            if not self._in_list:
                yield from self._taken(end)
                self._move(end)
        elif self._in_list and first in (_COMMA, self._end):
            is_end = first == self._end
            if not is_end or self._too_long or self._text[self._start : begin].strip():
                yield from self._taken(begin)
            self._in_list = not is_end
            self._move(end)
            if is_end and self._is_part:
                self._is_lost = self._begin_again = True

    def _value(self, begin: int, end: int) -> Iterator[Found]:
        """An object outside a list."""
        yield from self._junk(begin)
        yield from self._taken(end)
        self._move(end)

    def _junk(self, end: int) -> Iterator[Found]:
        """What stands between values, where nothing but white space should."""
        text = self._text[self._start : end].strip()
        if text not in (b"", b","):
            yield from self._taken(end)
        self._move(end)

    def _taken(self, end: int) -> Iterator[Found]:
        """The item that ends here."""
        if self._too_long:
            yield self._too_long
            self._too_long = None
            return
        text = self._text[self._start : end]
        item = text.lstrip()
        line = self._line + text.count(b"\n", 0, len(text) - len(item))
        if not item:
            yield BadLine(line, "", "not_json", "nothing stands between two commas")
            return
        named = _NAMED.match(item) if self._end == _CLOSING_BRACE else None
        try:
            value = json_value(item[named.end() :] if named else item)
        except orjson.JSONDecodeError as error:
            yield bad_json(line, item.rstrip(), error)
            return
        if isinstance(value, dict):
            yield line, value
        else:
            yield BadLine(line, shown(item), "not_an_object", kind(value))

    def _move(self, start: int) -> None:
        """Begin the next item."""
        self._line += self._text.count(b"\n", self._start, start)
        self._start = self._at = start

    def _shorten(self) -> Iterator[Found]:
        """Let go of an item that is too long, or that misses its end."""
        if fresh := self._next_item():
            yield self._unfinished(fresh)
            return
        detail = f"over {LONGEST_ITEM} bytes"
        if self._too_long is None:
            head = self._text[self._start : self._start + _HEAD].lstrip()
            self._too_long = BadLine(self._line, shown(head), "item_too_long", detail)
        self._move(self._at)
        if len(self._text) - self._start > LONGEST_ITEM:
            yield self._too_long._replace(detail=f"{detail} in one text; the rest is not read")
            self._is_lost = True

    def _next_item(self) -> int:
        """Where the next item of an indented list begins, if the brackets of this one are wrong."""
        text = self._text[self._start : self._start + _HEAD]
        begin = len(text) - len(text.lstrip())
        before = text[:begin]
        indent = before[before.rfind(b"\n") + 1 :]
        if not (indent and b"\n" in before and self._in_list and self._is_object()):
            return 0
        return self._text.find(b"\n" + indent + b"{", self._start + begin + 1) + 1

    def _is_object(self) -> bool:
        return self._text[self._start : self._start + _HEAD].lstrip()[:1] == b"{"

    def _unfinished(self, end: int) -> BadLine:
        """The item that misses its end; the next one begins at `end`."""
        text = self._text[self._start : end]
        item = text.strip()
        line = self._line + text.count(b"\n", 0, len(text) - len(text.lstrip()))
        self._move(end)
        self._depth, self._too_long = 0, None
        return BadLine(line, shown(item), "not_json", "the item does not end")


_QUOTE, _COMMA, _BRACE, _CLOSING_BRACE, _LIST_END = b'",{}]'
_OPEN = b"[{"
