"""Why a turn cannot be read, and what of it says nothing."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any


class UnreadTurn(Exception):
    """A turn, or a row of turns, that is not read: the row is rejected for this reason."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def unread_part(where: str, part: str) -> UnreadTurn:
    """The fault of a part that nobody reads."""
    return UnreadTurn("unread_part", f"{where}: {part}")


def check_rest(
    found: Mapping[str, Any], read: Container[str], where: str, within: str = ""
) -> None:
    """Raises UnreadTurn for a part that is not among those that are read and says something."""
    for key, value in found.items():
        if key not in read and not is_empty(value):
            raise unread_part(where, f"{within}{key}")


def is_empty(value: Any) -> bool:
    """Whether a part says nothing: null, an empty text, or a list or object of such."""
    if isinstance(value, Mapping):
        return all(map(is_empty, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_empty, value))
    return value is None or value == ""


def kind_of(value: object) -> str:
    """What a value is, in words."""
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return type(value).__name__


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "a text"),
    (list | tuple, "a list"),
    (Mapping, "an object"),
    (type(None), "empty"),
)
