"""Rows of which a value had to be written in another way: what it was is told, never silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

NULL_FOR_NAN = "null_for_nan"
"""NaN or an infinity, which JSON does not have, is a null now."""
NUMBER_AS_TEXT = "number_as_text"
"""A number that no 64 bits hold is the text of its digits now."""


class Mended(NamedTuple):
    """A value that became another one."""

    what: str
    column: str
    was: str


class MendedRow(dict[str, Any]):
    """A row's columns, with what was mended in them."""

    def __init__(self, columns: Mapping[str, Any], mended: list[Mended]) -> None:
        super().__init__(columns)
        self.mended = mended


class Unstorable:
    """Stands for a number, while a row is read, that cannot be kept as one."""

    def __init__(self, digits: str, what: str) -> None:
        self.digits = digits
        self.what = what

    @property
    def value(self) -> str | None:
        """What takes its place."""
        return None if self.what == NULL_FOR_NAN else self.digits


def mended_row(columns: Mapping[str, Any]) -> MendedRow:
    """The columns with something for every number that cannot be kept."""
    mended: list[Mended] = []
    return MendedRow({name: _mended(v, name, mended) for name, v in columns.items()}, mended)


def _mended(value: Any, column: str, mended: list[Mended]) -> Any:
    if isinstance(value, Unstorable):
        mended.append(Mended(value.what, column, value.digits))
        return value.value
    if isinstance(value, dict):
        return {key: _mended(item, column, mended) for key, item in value.items()}
    if isinstance(value, list):
        return [_mended(item, column, mended) for item in value]
    return value
