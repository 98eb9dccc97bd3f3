"""Filters that templates may use: those of Jinja2 as they are, and those kept within bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import filters
from jinja2.exceptions import SecurityError

UNCHANGED = (
    *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first"),
    *("float", "forceescape", "groupby", "items", "last", "length", "list", "lower", "map", "max"),
    *("min", "reject", "rejectattr", "reverse", "safe", "select", "selectattr", "sort", "title"),
    *("trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
"""What they make is about as large as what they are given, and takes about as long.

Left out are those that make much of a number (`center`, `indent`, `format`, `wordwrap`, `batch`,
`slice`, `filesizeformat`), add up texts (`sum`), draw (`random`: another prompt at every run), or
are for web pages (`xmlattr`, `urlize`, `pprint`).
"""
_MOST_DIGITS = 300
_LONGEST_NUMBER = 1000
_LONGEST_MARKUP = 50_000


def _rounded(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > _MOST_DIGITS:
        raise SecurityError(f"'round' to {precision} digits, expected at most {_MOST_DIGITS}")
    return filters.do_round(value, precision, method)


def _whole(value: Any, default: int = 0, base: int = 10) -> int:
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise SecurityError(f"'int' of a text of {len(value)} characters")
    return filters.do_int(value, default, base)


def _without_tags(value: str) -> str:
    if len(value) > _LONGEST_MARKUP:
        raise SecurityError(f"'striptags' of a text of {len(value)} characters")
    return filters.do_striptags(value)


BOUNDED: Mapping[str, Callable[..., Any]] = {
    "int": _whole,
    "round": _rounded,
    "striptags": _without_tags,
}
"""By the names that templates use."""
