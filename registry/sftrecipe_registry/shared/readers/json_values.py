"""JSON as files of rows have it: with NaN, and with numbers that no 64 bits hold."""

from __future__ import annotations

import json
from math import isinf
from typing import Any

import orjson

from sftrecipe_registry.shared.readers.row_repairs import (
    NULL_FOR_NAN,
    NUMBER_AS_TEXT,
    Unstorable,
    mended_row,
)

_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
_WIDE = float(1 << 63)
_SHORT = 18
"""So many digits always fit."""


def json_value(text: bytes) -> Any:
    """The value of a JSON text: NaN and infinities are null, numbers too large are texts.

    A row with such values is a `MendedRow`. Raises orjson.JSONDecodeError.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if b"NaN" not in text and b"Infinity" not in text and "infinity" not in error.msg:
            raise
        return _mended(text, None)
    # orjson makes a number of what is too long for a whole one, and rounds it.
    return _mended(text, value) if type(value) is dict and _may_be_rounded(value) else value


def _may_be_rounded(value: dict[str, Any]) -> bool:
    try:
        return _has_wide(value)
    except RecursionError:  # nothing that deep is kept
        return False


def _has_wide(value: Any) -> bool:
    """Whether a number stands in it that may have been rounded."""
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            continue
        if kind is float:
            if item >= _WIDE or item <= -_WIDE:
                return True
        elif (kind is dict or kind is list) and _has_wide(item):
            return True
    return False


def _mended(text: bytes, otherwise: Any) -> Any:
    """Read with every number as it is written. Raises orjson.JSONDecodeError."""
    try:
        value = json.loads(
            text.decode(), parse_constant=_constant, parse_int=_whole, parse_float=_float
        )
    except (ValueError, RecursionError):
        if otherwise is not None:
            return otherwise
        return orjson.loads(text)  # its error says what is wrong, and where
    if not isinstance(value, dict):
        return value if otherwise is None else otherwise
    row = mended_row(value)
    return row if row.mended else dict(row)


def _constant(name: str) -> Unstorable:
    return Unstorable(name, NULL_FOR_NAN)


def _whole(digits: str) -> int | Unstorable:
    if len(digits) <= _SHORT:
        return int(digits)
    if len(digits) > _SHORT + 3 or not _LEAST <= int(digits) <= _MOST:
        return Unstorable(digits, NUMBER_AS_TEXT)
    return int(digits)


def _float(digits: str) -> float | Unstorable:
    value = float(digits)
    return Unstorable(digits, NUMBER_AS_TEXT) if isinf(value) else value
