"""Regular expressions from a recipe that cannot hang a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sftrecipe import PluginRefused

if TYPE_CHECKING:
    from regex import Match

SECONDS = 2.0
"""How long one expression may search one text."""

_NOT_SYNTAX = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:[:=!]|<[=!]|P?<\w+>|[a-zA-Z-]+:?)")
_REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})")
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}")

Search = Callable[[str], "Match[str] | None"]


def guarded_search(pattern: str, *, ignore_case: bool = False) -> Search:
    """A search function for the pattern, in the syntax of `re`.

    Searching raises PluginRefused after `SECONDS`: a slow machine must not change which rows
    match. Raises PluginRefused when the pattern does not compile.
    """
    import regex  # noqa: PLC0415 - 30 ms that `validate` need not spend

    try:
        re.compile(pattern)
        search = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0).search
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        raise PluginRefused(f"regular expression '{pattern}' is not valid: {error}") from error
    if cannot_explode(pattern):
        return search

    def timed(text: str) -> Match[str] | None:
        try:
            return search(text, timeout=SECONDS)
        except TimeoutError as error:
            raise PluginRefused(
                f"regular expression '{pattern}' searched a text of {len(text)} characters for "
                f"{SECONDS:g} seconds: avoid repetition inside repetition"
            ) from error

    return timed


def cannot_explode(pattern: str) -> bool:
    """Whether a pattern is so simple that no text makes it slow (true only when certain).

    No group is repeated, at most one character or class is, and few are optional: the work is at
    most quadratic in the text.
    """
    bare = _NOT_SYNTAX.sub("x", pattern)
    return (
        not _VERBOSE.search(pattern)
        and not _REPEATED_GROUP.search(bare)
        and len(_REPEATED.findall(bare)) <= 1
        and bare.count("?") <= 4
    )
