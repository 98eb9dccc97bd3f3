"""Where a part of a template stands: in its own file, or in the recipe that holds its text."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from sftrecipe.errors import Position

_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_OPENS = re.compile(r"\{\{|\{%|\{#")
_GOT = re.compile(r"got '([^']+)'")
_TOLD = re.compile(r"'([^']+)'")
_ESCAPED = {"x": 4, "u": 6, "U": 10}
"""How many characters an escape of YAML is written with."""


class TemplatePlaces:
    """Places in a template.

    `file` is the template's own; None: its text is the value at `place` in a recipe. What cannot be
    found there, as the value is put together from variables, stands at `place`.
    """

    def __init__(self, text: str, file: str | None, place: Position) -> None:
        self._text = text
        self._file = file
        self._place = place

    def error(self, message: str, number: int) -> Position:
        """Where Jinja2 stumbled: the word that it tells, on the line that it tells."""
        lines = self._text.splitlines(keepends=True)
        start = sum(len(line) for line in lines[: number - 1])
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        opens = _OPENS.search(line)
        told = _GOT.search(message) or _TOLD.search(message)
        found = line.find(told[1], opens.start() if opens else 0) if told else -1
        return self._at(start + (found if found >= 0 else opens.start() if opens else 0))

    def line(self, number: int) -> Position:
        """The first braces of a line."""
        return self.error("", number)

    def word(self, name: str) -> Position:
        """The first use of a name between Jinja2's braces."""
        for block in _BRACES.finditer(self._text):
            word = re.search(rf"\b{re.escape(name)}\b", block[0])
            if word:
                return self._at(block.start() + word.start())
        return Position(self._file, 1, 1) if self._file else self._place

    def _at(self, offset: int) -> Position:
        if self._file is not None:
            return _position(self._file, self._text, offset)
        found = _written_at(self._source, self._start, self._text, offset)
        return self._place if found is None else _position(self._place.path, self._source, found)

    @cached_property
    def _source(self) -> str:
        try:
            return Path(self._place.path).read_bytes().decode("utf-8-sig", "replace")
        except OSError:
            return ""

    @cached_property
    def _start(self) -> int:
        lines = self._source.splitlines(keepends=True)
        return sum(len(line) for line in lines[: self._place.line - 1]) + self._place.column - 1


def _position(path: str, text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(path, before.count("\n") + 1, offset - before.rfind("\n"))


def _written_at(source: str, start: int, text: str, offset: int) -> int | None:
    """Where a character of a scalar's text is written, as the scalar begins at `start`; None where
    the two do not go together. White space is passed over: YAML folds and indents it."""
    mark = source[start : start + 1]
    at = source.find("\n", start) if mark in ("|", ">") else start + (mark in ("'", '"'))
    if not mark or at < 0:
        return None
    for character in (each for each in text[:offset] if not each.isspace()):
        at = _next_written(source, at, mark)
        if mark == '"' and source[at : at + 1] == "\\" and source[at + 1 : at + 2] in _ESCAPED:
            at += _ESCAPED[source[at + 1]]
            continue
        at += source[at : at + 1] == "\\" and mark == '"'
        if source[at : at + 1] != character:
            return None
        at += 2 if mark == "'" and source[at : at + 2] == "''" else 1
    return _next_written(source, at, mark) if not text[offset : offset + 1].isspace() else at


def _next_written(source: str, at: int, mark: str) -> int:
    """The next character that is no white space, written out or escaped."""
    while at < len(source):
        if source[at].isspace():
            at += 1
        elif mark == '"' and re.match(r"\\[ntr \n]", source[at : at + 2]):
            at += 2
        else:
            break
    return at
