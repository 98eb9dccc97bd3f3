"""A row's texts as the report reads them: the question, the answer, all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sftrecipe.record import Record, question
from sftrecipe.turns.shown_turns import shown_turns, turn_parts


def whole_text(row: Record) -> str:
    """Everything that the row says to a trainer, or its columns where it is no chat."""
    turns = shown_turns(row.columns)
    if turns:
        return "\n".join(text for turn in turns for _, text in turn_parts(turn) if text)
    return "\n".join(map(cell_text, row.columns.values()))


def asked_text(row: Record) -> str:
    """What is asked; of a plain text, the text."""
    asked = question(row.columns) if shown_turns(row.columns) else ""
    return asked or row.text("text") or whole_text(row)


def answer_text(row: Record) -> str:
    """The answer: `output`, or the last assistant turn; empty where there is none."""
    if "messages" in row.columns:
        turns = shown_turns(row.columns)
        answers = [turn["content"] for turn in turns if turn["role"] == "assistant"]
        return answers[-1] if answers else ""
    chosen = row.columns.get("chosen")
    if isinstance(chosen, Mapping) and isinstance(chosen.get("content"), str):
        return row.text("output") or chosen["content"]
    return row.text("output") or row.text("chosen")


def thought_text(row: Record) -> str:
    """The thought before the answer; empty where there is none."""
    turns = shown_turns(row.columns)
    thoughts = [turn.get("reasoning") or "" for turn in turns if turn["role"] == "assistant"]
    return thoughts[-1] if thoughts else ""


def cell_text(value: Any) -> str:
    """A column's value as text."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, default=str).decode()


def shortened(text: str, most: int) -> str:
    """The beginning of a text, with what was left out told at its end."""
    return text if len(text) <= most else f"{text[:most]} … (+{len(text) - most:,})"
