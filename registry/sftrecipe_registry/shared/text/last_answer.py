"""A row's last answer: taken off what was said before, or put in its place."""

from __future__ import annotations

from typing import Any, NamedTuple

from sftrecipe.plugin import Columns, Record, Turn, chat, joined
from sftrecipe_registry.shared.text.row_text import of_turns
from sftrecipe_registry.shared.text.spoken import spoken

_WHERE = {
    "system": ("system", "content"),
    "instruction": ("user", "content"),
    "reasoning": ("assistant", "reasoning"),
}
"""Column of a plain row → role and part of the turn that has it; the last such."""


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


def column_text(row: Record, name: str) -> str:
    """A column's text; of an answer that is a turn what it says, of chat turns what a plain row
    has there."""
    value = row.columns.get(name)
    if value is None:
        return of_turns(row.columns, name) or ""
    if isinstance(value, dict) and "content" in value:
        return spoken([value])  # type: ignore[list-item]
    return row.text(name)


def with_text(columns: Columns, name: str, text: str) -> dict[str, Any]:
    """The columns with this text where `column_text` finds the old one."""
    if name in columns or "messages" not in columns:
        return {**columns, name: text}
    if name == "output":
        answered = with_answer(columns, text)
        if columns["messages"][-1].get("train") is False:
            answered["messages"][-1]["train"] = False
        return answered
    role, part = _WHERE[name]
    turns = list(columns["messages"])
    place = max(place for place, turn in enumerate(turns) if turn["role"] == role)
    turns[place] = {**turns[place], part: text}
    return {**columns, "messages": turns}
