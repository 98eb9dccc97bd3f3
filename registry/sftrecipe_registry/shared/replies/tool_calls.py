"""Rows with tools: what a model is sent of them, and its calls of them as the row's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from sftrecipe.plugin import PLAIN_COLUMNS, Columns, Reply, Turn
from sftrecipe_registry.shared.text.last_answer import parted, with_answer


def tools_of(columns: Columns) -> Sequence[Mapping[str, Any]] | None:
    """A row's tools in OpenAI's form; none where it has none, None where they cannot be read."""
    told = columns.get("tools")
    if isinstance(told, str):
        try:
            told = orjson.loads(told) if told.strip() else []
        except orjson.JSONDecodeError:
            return None
    if told is None:
        return ()
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        return None
    # LLaMA-Factory's data has the functions alone.
    return [each if "function" in each else {"type": "function", "function": each} for each in told]


def with_reply(columns: Columns, reply: Reply, reasoning: str) -> dict[str, Any]:
    """The columns with the reply as their last answer; calls of tools make them chat turns."""
    text = reply.text.strip()
    if not reply.tool_calls:
        return with_answer(columns, text, reasoning)
    turn: Turn = {"role": "assistant", "content": text, "tool_calls": list(reply.tool_calls)}
    if reasoning:
        turn["reasoning"] = reasoning
    asked = {name: value for name, value in columns.items() if name != "output"}
    kept = {name: value for name, value in columns.items() if name not in PLAIN_COLUMNS}
    return {**kept, "messages": [*parted(asked).before, turn]}
