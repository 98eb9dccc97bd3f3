"""The fields of JSON objects that an earlier version, or somebody else, may have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from sftrecipe.plugin.regular_files import open_regular

Value = TypeVar("Value")


def object_in(path: Path) -> dict[str, Any]:
    """The object that a file holds; empty where there is none that can be read."""
    try:
        with open_regular(path) as file:
            found = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def field_of(found: Mapping[str, Any], name: str, default: Value) -> Value:
    """The field's value; the default where it is missing, or of another type than that."""
    value = found.get(name)
    if isinstance(default, float) and isinstance(value, int):
        return type(default)(value)
    return value if isinstance(value, type(default)) else default


def texts_of(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(each for each in field_of(found, name, list[Any]()) if isinstance(each, str))


def objects_of(found: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    return (each for each in field_of(found, name, list[Any]()) if isinstance(each, dict))


def texts_by_name(found: Mapping[str, Any], name: str) -> dict[str, str]:
    """The texts of an object."""
    held = field_of(found, name, dict[str, Any]())
    return {key: value for key, value in held.items() if isinstance(value, str)}
