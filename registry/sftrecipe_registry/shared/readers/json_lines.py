"""Reading JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.readers.json_values import json_value
from sftrecipe_registry.shared.readers.numbered_lines import numbered_lines
from sftrecipe_registry.shared.readers.rows import BadLine, Found, shown


def json_lines(path: DataFile, encoding: str = "auto") -> Iterator[Found]:
    """Every line's object; empty lines count for nothing. Raises OSError."""
    loads = json_value
    for found in numbered_lines(path, encoding):
        if isinstance(found, BadLine):
            yield found
            continue
        number, line = found
        try:
            value = loads(line)
        except orjson.JSONDecodeError as error:
            if not line.isspace():
                yield _bad_line(number, line, error)
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield BadLine(number, shown(line), "not_an_object", kind(value))


def bad_json(line: int, text: bytes, error: orjson.JSONDecodeError) -> BadLine:
    """Why a text is no JSON: it cannot be decoded, or it is malformed."""
    try:
        text.decode()
    except UnicodeDecodeError as cause:
        return BadLine(line, shown(text), "undecodable", f"byte {cause.start + 1} of the line")
    return BadLine(line, shown(text), "not_json", error.msg)


def _bad_line(number: int, line: bytes, error: orjson.JSONDecodeError) -> BadLine:
    return bad_json(number, line.rstrip(b"\r\n"), error)


def kind(value: object) -> str:
    """What a JSON value is that should be an object."""
    if value is None:
        return "null"
    names = {list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "a number")
