"""Which text of a row a filter looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sftrecipe.record import Columns, Record

TextOf = Callable[[Record], str]

CONTENT = (
    "system",
    "history",
    "instruction",
    "input",
    "output",
    "messages",
    "text",
    "chosen",
    "rejected",
)
"""The canonical columns that hold what is said."""


def text_of(field: str | tuple[str, ...] | None, default: TextOf) -> TextOf:
    """A function that gives the text of the named columns, several joined by a line break.

    `default` serves where no column is named.
    """
    if field is None:
        return default
    names = (field,) if isinstance(field, str) else field
    if len(names) == 1:
        return _one_column(names[0])
    return lambda row: "\n".join(filter(None, map(row.text, names)))


def _one_column(name: str) -> TextOf:
    def text(row: Record) -> str:
        value = row.columns.get(name)
        return value if type(value) is str else row.text(name)

    return text


def answer_text(row: Record) -> str:
    """The answer (`output`, or the last assistant turn), else the instruction, else the text."""
    columns = row.columns
    for name in ("output", "instruction", "text", "chosen"):
        value = columns.get(name)
        if value:
            return value if type(value) is str else row.text(name)
    return _last_turn(columns, "assistant")


def instruction_text(row: Record) -> str:
    """The instruction, else the last user turn, else the text."""
    columns = row.columns
    for name in ("instruction", "text"):
        value = columns.get(name)
        if value:
            return value if type(value) is str else row.text(name)
    return _last_turn(columns, "user")


def whole_text(row: Record) -> str:
    """All that is said in the row: its canonical columns, joined by line breaks."""
    get = row.columns.get
    parts = []
    for name in CONTENT:
        value = get(name)
        if value:
            parts.append(value if type(value) is str else "\n".join(said(value)))
    return "\n".join(parts)


def said(value: Any) -> Iterator[str]:
    """The texts in a column's value: of chat turns their contents, of history every utterance."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        yield from said(value.get("content"))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from said(item)


def with_said(value: Any, change: Callable[[str], str]) -> Any:
    """A column's value with every text that `said` gives replaced by what `change` makes of it."""
    if isinstance(value, str):
        return change(value) if value else value
    if isinstance(value, dict):
        if "content" not in value:
            return value
        return {**value, "content": with_said(value["content"], change)}
    if isinstance(value, (list, tuple)):
        return [with_said(item, change) for item in value]
    return value


def _last_turn(columns: Columns, role: str) -> str:
    turns = columns.get("messages") or ()
    return next((turn["content"] for turn in reversed(turns) if turn["role"] == role), "")
