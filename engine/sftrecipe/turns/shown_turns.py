"""A row's chat turns as they are shown: also of rows that were rejected for their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from sftrecipe.record import Columns, Turn, chat


def shown_turns(columns: Columns) -> list[Turn]:
    """As `chat`; none where the columns are not of the shape that it reads."""
    try:
        turns = chat(columns)
    except (TypeError, ValueError, AttributeError):
        return []
    if not all(isinstance(turn, Mapping) for turn in turns):
        return []
    parts = [turn.get(name) for turn in turns for name in ("role", "content")]
    return turns if all(isinstance(part, str) for part in parts) else []


def turn_parts(turn: Turn) -> Iterator[tuple[str, str]]:
    """What a turn says, part by part, each with who or what says it: the thought comes first."""
    if reasoning := turn.get("reasoning"):
        yield "reasoning", _plain_text(reasoning)
    calls = turn.get("tool_calls") or ()
    if turn["content"] or not (reasoning or calls):
        yield turn["role"], turn["content"]
    for call in calls if isinstance(calls, list | tuple) else [calls]:
        yield "tool_call", _call_text(call)


def _call_text(call: Any) -> str:
    if isinstance(call, Mapping) and isinstance(call.get("name"), str) and "arguments" in call:
        return f"{call['name']}({_plain_text(call['arguments'])})"
    return _plain_text(call)  # of a rejected row


def _plain_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
