"""A row's last answer: taken off what was said before, or put in its place."""

from __future__ import annotations

from typing import Any, NamedTuple

from sftrecipe.record import Columns, Turn, chat
from sftrecipe.thoughts import joined
from sftrecipe_registry.shared.spoken import spoken


class Parted(NamedTuple):
    """A row's chat turns."""

    before: list[Turn]
    """All up to the last answer."""
    answer: str | None
    """What it says, calls of tools as `name(arguments)`; None where the row has none."""
    calls: bool = False
    """Whether it calls tools: no text stands for it in a row."""


def parted(columns: Columns) -> Parted:
    """What was said before the last answer, and that answer."""
    turns = chat(columns)
    if turns and turns[-1]["role"] == "assistant":
        return Parted(turns[:-1], spoken(turns[-1:]), bool(turns[-1].get("tool_calls")))
    return Parted(turns, None)


def trained_answer(columns: Columns) -> str:
    """The last answer behind its thought, as a training learns it; empty where the row has none."""
    turns = chat(columns)
    return trained_text(turns[-1]) if turns and turns[-1]["role"] == "assistant" else ""


def trained_text(turn: Turn) -> str:
    """What a turn says, an assistant's behind its thought."""
    if turn["role"] != "assistant":
        return turn["content"]
    return joined(turn.get("reasoning", ""), spoken([turn]))


def with_answer(columns: Columns, answer: str, reasoning: str = "") -> dict[str, Any]:
    """The columns with this answer in the last one's place, or behind the question.

    The thought before the last answer goes with it; the new one's takes its place.
    """
    if "messages" not in columns:
        kept = {name: value for name, value in columns.items() if name != "reasoning"}
        return {**kept, "output": answer, **({"reasoning": reasoning} if reasoning else {})}
    last: Turn = {"role": "assistant", "content": answer}
    if reasoning:
        last["reasoning"] = reasoning
    return {**columns, "messages": [*parted(columns).before, last]}
