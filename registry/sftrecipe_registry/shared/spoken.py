"""Chat turns as one text, for prompts about them."""

from __future__ import annotations

from collections.abc import Sequence

from sftrecipe.record import Turn


def spoken(turns: Sequence[Turn]) -> str:
    """A lone turn's text; several as `role: text` lines; the system prompt is left out."""
    said = [turn for turn in turns if turn["role"] != "system"]
    if len(said) == 1:
        return said[0]["content"]
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in said)
