"""A row's last answer: taken off what was said before, or put in its place."""

from __future__ import annotations

from typing import Any, NamedTuple

from sftrecipe.record import Columns, Turn, chat


class Parted(NamedTuple):
    """A row's chat turns."""

    before: list[Turn]
    """All up to the last answer."""
    answer: str | None
    """None where the row has none."""


def parted(columns: Columns) -> Parted:
    """What was said before the last answer, and that answer."""
    turns = chat(columns)
    if turns and turns[-1]["role"] == "assistant":
        return Parted(turns[:-1], turns[-1]["content"])
    return Parted(turns, None)


def with_answer(columns: Columns, answer: str) -> dict[str, Any]:
    """The columns with this answer in the last one's place, or behind the question."""
    if "messages" not in columns:
        return {**columns, "output": answer}
    turns = [*parted(columns).before, {"role": "assistant", "content": answer}]
    return {**columns, "messages": turns}
