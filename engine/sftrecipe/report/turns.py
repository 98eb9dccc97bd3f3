"""A row's chat turns as they are shown: also of rows that were rejected for their shape."""

from __future__ import annotations

from sftrecipe.record import Columns, Turn, chat


def shown_turns(columns: Columns) -> list[Turn]:
    """As `chat`; none where the columns are not of the shape that it reads."""
    try:
        turns = chat(columns)
    except (TypeError, ValueError, AttributeError):
        return []
    parts = [turn.get(name) for turn in turns for name in ("role", "content")]
    return turns if all(isinstance(part, str) for part in parts) else []
