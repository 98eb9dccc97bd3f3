"""What a row asks, and what it answers."""

from __future__ import annotations

from typing import Any

from sftrecipe.plugin import Columns, Record
from sftrecipe_registry.shared.text.row_text import said_aloud


def asked_text(row: Record) -> str:
    """What the row asks: instruction and input, or all turns of the user, else the text.

    Data sets with one instruction for all rows have their questions in `input`; dialogues end in
    thanks, and are about what was asked before.
    """
    columns = row.columns
    parts = [_aloud(columns.get(name)) for name in ("instruction", "input")]
    if any(parts):
        return "\n".join(filter(None, parts))
    if columns.get("messages"):
        return _turns(columns, "user")
    return _aloud(columns.get("text"))


def answered_text(row: Record) -> str:
    """What the row answers, without its thought: `output`, `chosen` or the last turn of the
    assistant; of rows that have no place for an answer the instruction, else the text.

    Empty where there is a place for the answer with nothing in it.
    """
    columns = row.columns
    for name in ("output", "chosen"):
        if name in columns:
            return _aloud(columns[name])
    turns = columns.get("messages") or ()
    if turns:
        answer = next((turn for turn in reversed(turns) if turn["role"] == "assistant"), None)
        return _aloud(answer) if answer is not None else _turns(columns, "user")
    return _aloud(columns.get("instruction")) or _aloud(columns.get("text"))


def _turns(columns: Columns, role: str) -> str:
    turns = columns["messages"]
    return "\n".join(filter(None, (_aloud(turn) for turn in turns if turn["role"] == role)))


def _aloud(value: Any) -> str:
    return value if type(value) is str else "\n".join(said_aloud(value))
