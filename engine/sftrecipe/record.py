"""The one record type of every stage, and how it reads as a chat."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

import orjson

from sftrecipe.thoughts import split_thought

Columns = Mapping[str, Any]
"""The canonical columns: `instruction`, `input`, `output`, `reasoning` (the thought before the
output), `system`, `history` (pairs), or `messages` (`Turn`s) and `tools` (JSON text), or `text`;
for preferences `chosen` and `rejected` (texts, or `Turn`s), for KTO `label` (bool); `images`,
`videos`, `audios` (paths). Any other column travels along unchanged."""

PLAIN_COLUMNS = frozenset({"instruction", "input", "output", "reasoning", "system", "history"})
"""The columns of a chat whose turns are not listed: `messages` takes the place of them all."""
CHAT_COLUMNS = PLAIN_COLUMNS | {"messages"}
"""The columns that make a row a chat."""
PAIR = ("chosen", "rejected")
"""The columns of a better and a worse answer."""
OF_TURNS = frozenset({"system", "instruction", "reasoning", "output"})
"""Columns of a plain row that chat turns have, too: what is said last, and its thought."""

ROLES = frozenset({"system", "user", "assistant", "tool"})
"""Who speaks a turn."""


class ToolCall(TypedDict):
    """What an assistant wants a tool to do."""

    name: str
    arguments: dict[str, Any]
    id: NotRequired[str]
    """By which its result names it."""


class Turn(TypedDict):
    """One turn of a conversation, with all its parts; those that it lacks are absent."""

    role: str
    """One of `ROLES`."""
    content: str
    """What is said; `<image>`, `<video>` and `<audio>` stand where media of the row's columns of
    these names belong; empty where there is none."""
    reasoning: NotRequired[str]
    """The thought before an assistant's answer."""
    tool_calls: NotRequired[list[ToolCall]]
    """An assistant's."""
    tool_call_id: NotRequired[str]
    """The call that a tool answers."""
    name: NotRequired[str]
    """Of the tool, or of who speaks."""
    train: NotRequired[bool]
    """False where an assistant's turn is not to be learned."""


LACKED_PARTS = frozenset({"reasoning", "tool_calls", "tool_call_id", "name"})
"""The parts of a turn that say nothing where they are absent."""

_EMPTY: Mapping[str, Any] = {}


class Record(NamedTuple):
    """One row: its columns, and where it came from."""

    id: str
    """Content-derived: equal columns in one stream have equal ids."""
    columns: Columns
    stream: str
    """The source or generate block that made it."""
    origin: str = ""
    """`path:line` of a row that was read."""
    parents: tuple[str, ...] = ()
    """Ids of the rows that it was made from."""
    calls: tuple[str, ...] = ()
    """Ledger keys of the replies that it was made from."""
    scores: Mapping[str, float] = _EMPTY
    tags: Mapping[str, str] = _EMPTY

    def text(self, column: str) -> str:
        """A column as text; empty where there is none."""
        value = self.columns.get(column)
        if value is None:
            return ""
        return value if isinstance(value, str) else orjson.dumps(value).decode()


def record_id(stream: str, columns: Columns) -> str:
    """16 hexadecimal digits that name a row by its stream and content."""
    content = orjson.dumps([stream, columns], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def new_record(
    stream: str,
    columns: Columns,
    *,
    origin: str = "",
    parents: tuple[str, ...] = (),
    calls: tuple[str, ...] = (),
    scores: Mapping[str, float] = _EMPTY,
    tags: Mapping[str, str] = _EMPTY,
) -> Record:
    """A record with its id.

    Raises TypeError when a column holds what JSON cannot.
    """
    name = record_id(stream, columns)
    return Record(name, columns, stream, origin, parents, calls, scores, tags)


def question(columns: Columns) -> str:
    """What the user says last: LLaMA-Factory's `instruction\\ninput`, or the last user turn."""
    if "messages" in columns:
        turns = [turn["content"] for turn in columns["messages"] if turn["role"] == "user"]
        return turns[-1] if turns else ""
    parts = (columns.get("instruction"), columns.get("input"))
    return "\n".join(part for part in parts if part)


def chat(columns: Columns) -> list[Turn]:
    """The row as chat turns, the answer included where there is one.

    A plain text or a row without any of the canonical columns gives no turns.
    """
    if "messages" in columns:
        return [turn.copy() for turn in columns["messages"]]
    turns: list[Turn] = []
    if columns.get("system"):
        turns.append({"role": "system", "content": columns["system"]})
    for asked, answered in columns.get("history") or ():
        turns.append({"role": "user", "content": asked})
        turns.append(_earlier(answered))
    if asked := question(columns):
        turns.append({"role": "user", "content": asked})
    if columns.get("output"):
        turns.append({"role": "assistant", "content": columns["output"]})
        if columns.get("reasoning"):
            turns[-1]["reasoning"] = columns["reasoning"]
    return turns


def _earlier(answered: str) -> Turn:
    """An answer of the history, which has its thought in its text."""
    found = split_thought(answered) if answered else None
    if found is None or not found.reasoning or found.is_open:
        return {"role": "assistant", "content": answered}
    return {"role": "assistant", "content": found.answer, "reasoning": found.reasoning}
