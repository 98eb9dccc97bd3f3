"""Whether a JSON file is what its source reads: rows that would be misread are told, with what to
write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import orjson

from sftrecipe.plugin import PluginRefused, Text, Texts, looks_like_turns, yaml_word
from sftrecipe_registry.shared.files.file_contents import check_text
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import utf8_chunks
from sftrecipe_registry.shared.readers.json_layout import TOKEN, Layout, columns_of
from sftrecipe_registry.shared.readers.json_lines import kind
from sftrecipe_registry.shared.readers.json_list import items_of
from sftrecipe_registry.shared.readers.json_values import json_value
from sftrecipe_registry.shared.readers.rows import BadLine, Found

texts = Texts(__package__)
_HEAD = 64 * 1024
_WHOLE = 1024 * 1024
"""Bytes of a file that is looked at as a whole."""
_LINES = 20
_LIST = re.compile(rb"\s*\[\s*(\{|\]\s*$)")
_DEEP = 3

_PARTS = frozenset(
    {
        *("messages", "conversations", "conversation", "dialogue", "history", "turns", "prompt"),
        *("chosen", "rejected", "tools", "images", "videos", "audios", "tool_calls", "functions"),
        *("system", "systemInstruction", "system_instruction", "contents", "completion"),
        *("preferred_output", "non_preferred_output"),
        *("instances", "choices", "answers", "references", "response", "responses", "documents"),
    }
)
"""Columns that hold lists of objects in one row."""
_ONE_ROW = frozenset({"instruction", "input", "output", "system", "text", "question", "answer"})
"""Columns that show that an object is a row."""


def check_lines(file: DataFile, name: str, encoding: str) -> None:
    """Refuse what is not one JSON object a line. Raises PluginRefused, OSError."""
    check_text(file, name, "jsonl")
    head = next(utf8_chunks(file, encoding, _HEAD), b"").lstrip()
    lines = [line for line in head.split(b"\n")[: 10 * _LINES] if line.strip()][:_LINES]
    if not lines:
        return
    if _LIST.match(head) and not (len(lines) > 1 and _LIST.match(lines[1]) and _is_json(lines[0])):
        raise PluginRefused(texts("list-not-lines", file=name))
    if len(lines) > 1 and not any(line.lstrip()[:1] in b"[{" or _is_json(line) for line in lines):
        raise PluginRefused(texts("no-json-in-lines", file=name))
    if (others := [_other(line) for line in lines]) and all(others):
        raise PluginRefused(_where_a_row_stands(name, others[0]))
    if not lines[0].startswith(b"{") or any(_is_row(line) for line in lines[1:]):
        return
    if told := _wrapping(name, _alone(file, encoding)):
        raise PluginRefused(told)
    if len(lines) > 1 and not _is_row(lines[0]):
        first = next(items_of(iter([head])), None)
        if not isinstance(first, BadLine | None):
            raise PluginRefused(texts("objects-over-lines", file=name))


def _check_objects(items: Iterator[Found], name: str) -> None:
    """Refuse a file whose first items are lists, texts or numbers. Raises PluginRefused."""
    first = list(islice(items, _LINES))
    bad = [each for each in first if isinstance(each, BadLine) and each.reason == "not_an_object"]
    if bad and len(bad) == len(first):
        raise PluginRefused(_where_a_row_stands(name, bad[0].detail))


def holds_lines(file: DataFile, encoding: str) -> bool:
    """Whether the file's first lines are objects by themselves. Raises OSError."""
    head = next(utf8_chunks(file, encoding, _HEAD), b"")
    lines = [line for line in head.split(b"\n") if line.strip()][:2]
    return len(lines) == 2 and all(_is_row(line) for line in lines)


def holds_list(file: DataFile, encoding: str) -> bool:
    """Whether the file is a list of objects. Raises OSError."""
    return bool(_LIST.match(next(utf8_chunks(file, encoding, _HEAD), b"")))


def check_items(file: DataFile, name: str, encoding: str, layout: Layout | None) -> None:
    """Refuse an object around the rows of which no option tells. Raises PluginRefused, OSError."""
    check_text(file, name, "json")
    if layout is not None:
        return
    head = next(utf8_chunks(file, encoding, _HEAD), b"")
    if head.lstrip().startswith(b"["):
        _check_objects(items_of(iter([head])), name)
    if told := _wrapping(name, _alone(file, encoding)):
        raise PluginRefused(told)


_KINDS = {"null": "null", "a list": "a-list", "a text": "a-text", "true or false": "true-or-false"}
"""How texts name what stands in the place of a row."""


def _where_a_row_stands(file: str, kind: str) -> Text:
    return texts("not-a-row", file=file, kind=texts(_KINDS.get(kind, "a-number")))


def _is_json(line: bytes) -> bool:
    try:
        json_value(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _other(line: bytes) -> str:
    """What a line's value is that is no object; empty where it is one, or no JSON."""
    try:
        value = json_value(line)
    except orjson.JSONDecodeError:
        return ""
    return "" if isinstance(value, dict) else kind(value)


def _is_row(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and _is_json(line)


def _alone(file: DataFile, encoding: str) -> Mapping[str, Any] | None:
    """The file's only value where it is an object; of a large one its beginning, closed."""
    chunks = utf8_chunks(file, encoding, _HEAD)
    held = next(chunks, b"")
    if not held.lstrip().startswith(b"{"):
        return None
    end = _end_of_first(held)
    while len(held) <= _WHOLE and not (end and held[end:].strip()) and (more := next(chunks, b"")):
        held += more
    end = end or _end_of_first(held)
    if end is None and len(held) > _WHOLE:
        return _closed(held[:_HEAD])
    if end is None or held[end:].strip():
        return None
    try:
        value = json_value(held)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, Mapping) else None


def _end_of_first(text: bytes) -> int | None:
    """Where the first object or list ends."""
    depth = 0
    for token in TOKEN.finditer(text):
        first = text[token.start()]
        depth += (first in b"[{") - (first in b"]}")
        if not depth and first != _QUOTE:
            return token.end()
    return None


def _closed(text: bytes) -> Mapping[str, Any] | None:
    """What an object that breaks off would be, had it ended before the last of its items."""
    stack: list[int] = []
    cuts: list[tuple[int, bytes]] = []
    for token in TOKEN.finditer(text):
        first = text[token.start()]
        if first in b"[{":
            stack.append(first)
        elif first in b"]}" and stack:
            stack.pop()
            if len(stack) <= _DEEP:
                ends = b"".join(b"]" if each == _LIST_BEGIN else b"}" for each in reversed(stack))
                cuts.append((token.end(), ends))
    for end, ends in reversed(cuts):
        try:
            value = json_value(text[:end] + ends)
        except orjson.JSONDecodeError:
            continue
        return value if isinstance(value, Mapping) else None
    return None


def _wrapping(file: str, value: Mapping[str, Any] | None) -> Text | None:
    """What stands around the rows of a file that is this object alone, and what to write; None
    where it is a row."""
    if not value or _is_one_row(value):
        return None
    is_columns = _is_columns(value)
    paths = [] if is_columns else list(islice(_paths(value, _DEEP), _FEW))
    if paths:
        path = paths[0]
        beside = [each for each in paths if each[:-1] == path[:-1]]
        inside: Any = value
        for name in path:
            inside = inside[name]
        key = yaml_word(".".join(path), dots=True)
        options = f"key: {key}" if isinstance(inside, list) else f"key: {key}, layout: values"
        if len(beside) > 1:
            names = ", ".join(each[-1] for each in beside)
            return texts("under-several-keys", file=file, names=names, options=options)
        return texts("under-a-key", file=file, options=options)
    if is_columns:
        return texts("object-of-columns", file=file)
    if _are_rows([*value.values()]) and len(value) > 1:
        return texts("object-of-rows", file=file)
    return None


def _is_one_row(value: Mapping[str, Any]) -> bool:
    """Whether an object has a column that shows that it is a row."""
    is_plain = any(type(value.get(name)) is str for name in _ONE_ROW)
    return is_plain or any(looks_like_turns(value.get(name)) for name in _PARTS)


def _is_columns(value: Mapping[str, Any]) -> bool:
    """Whether an object's values are columns, not each a list of rows."""
    if len(value) < 2 or columns_of(value) is None:
        return False
    return not all(isinstance(each, list) and _are_rows(each) for each in value.values())


def _paths(value: Mapping[str, Any], deep: int) -> Iterator[tuple[str, ...]]:
    """Keys that lead to a list of objects, the longest list first."""
    found = [(name, _rows_in(each)) for name, each in value.items() if name not in _PARTS]
    for name, rows in sorted(found, key=lambda each: -each[1]):
        if rows:
            yield (name,)
    for name, each in value.items():
        if isinstance(each, Mapping) and deep > 1 and name not in _PARTS and len(value) <= _FEW:
            yield from ((name, *path) for path in _paths(each, deep - 1))


def _rows_in(value: Any) -> int:
    """How many rows a list or an object seems to hold."""
    if isinstance(value, list):
        return len(value) if _are_rows(value) and not looks_like_turns(value) else 0
    rows = [*value.values()] if isinstance(value, Mapping) else []
    return len(rows) if len(rows) > 1 and _are_rows(rows) else 0


def _are_rows(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, Mapping) and item for item in items[:_LINES])


_FEW = 8
"""Keys of an object that is a wrapping."""
_LIST_BEGIN, _QUOTE = b'["'
