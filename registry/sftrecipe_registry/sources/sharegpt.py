"""ShareGPT conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sftrecipe.plugin import UnreadTurn, is_empty, spoken_role
from sftrecipe_registry.shared.readers.known_set import KnownSet, others
from sftrecipe_registry.shared.readers.rows import WrongShape

_ASKS = ("user", "tool")


class ShareGpt(KnownSet):
    """Read ShareGPT conversations: lists of `from` and `value`, or of `role` and `content`.

    Turns are taken as they are; whether they alternate is looked at when they are exported.
    """

    example: ClassVar[str] = "{use: sharegpt, path: data/sharegpt.json, trim: true}"

    column: str = "conversations"
    """The column that holds the conversation."""
    trim: bool = False
    """Drop answers before the first question and questions after the last answer."""

    def shaped(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The conversation as messages."""
        turns = row.get(self.column)
        if self.column not in row:
            raise WrongShape("missing_column", self.column)
        if not isinstance(turns, list):
            raise WrongShape("bad_messages", f"{self.column} is no list")
        if self.column != "messages" and not is_empty(row.get("messages")):
            raise UnreadTurn("unread_part", f"messages beside {self.column}")
        if self.trim:
            turns = _trimmed(turns)
        if not turns:
            raise WrongShape("bad_messages", "there are none")
        yield {"messages": turns} | others(row, self.column, "messages")


def _trimmed(turns: list[Any]) -> list[Any]:
    roles = [spoken_role(turn) for turn in turns]
    begin = next((at for at, role in enumerate(roles) if role != "system"), len(turns))
    first = next((at for at in range(begin, len(turns)) if roles[at] in _ASKS), len(turns))
    last = len(turns)
    while last > first and roles[last - 1] in _ASKS:
        last -= 1
    return turns[:begin] + turns[first:last] if last > first else []
