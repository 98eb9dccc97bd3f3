"""Plain YAML scalars by the core schema of YAML 1.2: `on` and `no` are texts, `1e-4` a number."""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

MAX_DIGITS = 18

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False
}  # fmt: skip
_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FIRST_OF_NUMBER = frozenset("-+.0123456789")


class TooManyDigits(ValueError):
    """A number that neither JSON nor a 64-bit integer holds."""


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises TooManyDigits."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] in _FIRST_OF_NUMBER:
        if _WHOLE.fullmatch(text):
            return _whole(text)
        if _NUMBER.fullmatch(text):
            return _number(text)
    return text


def _whole(text: str) -> int:
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise TooManyDigits(text)
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise TooManyDigits(text)
    return value
