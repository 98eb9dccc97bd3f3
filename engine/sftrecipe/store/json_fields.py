"""The fields of JSON objects that an earlier version, or somebody else, may have written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


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
