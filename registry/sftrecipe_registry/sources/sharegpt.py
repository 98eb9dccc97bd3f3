"""ShareGPT conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sftrecipe_registry.shared.found_rows import Misshapen
from sftrecipe_registry.shared.known_set import KnownSet, others

_ROLES = {
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "chatgpt", "bing", "bard", "claude"), "assistant"),
    **dict.fromkeys(("observation", "tool", "function_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), "tool_call"),
    "system": "system",
}
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
            raise Misshapen("missing_column", self.column)
        if not isinstance(turns, list):
            raise Misshapen("bad_messages", f"{self.column} is no list")
        messages = [_message(turn, number) for number, turn in enumerate(turns, 1)]
        if self.trim:
            messages = _trimmed(messages)
        if not messages:
            raise Misshapen("bad_messages", "there are none")
        yield {"messages": messages} | others(row, self.column, "messages")


def _message(turn: Any, number: int) -> dict[str, str]:
    if not isinstance(turn, Mapping):
        raise Misshapen("bad_messages", f"message {number} is no object")
    role, content = turn.get("from", turn.get("role")), turn.get("value", turn.get("content"))
    if not isinstance(content, str):
        raise Misshapen("bad_messages", f"message {number} has no text")
    if not isinstance(role, str) or role.lower() not in _ROLES:
        raise Misshapen("bad_role", f"message {number}: '{role}'")
    return {"role": _ROLES[role.lower()], "content": content}


def _trimmed(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    system = messages[:1] if messages and messages[0]["role"] == "system" else []
    turns = messages[len(system) :]
    while turns and turns[0]["role"] not in _ASKS:
        turns = turns[1:]
    while turns and turns[-1]["role"] in _ASKS:
        turns = turns[:-1]
    return system + turns if turns else []
