"""Chat turns under another system prompt."""

from __future__ import annotations

from collections.abc import Sequence

from sftrecipe.plugin import Turn


def with_system(turns: Sequence[Turn], said: str) -> list[Turn]:
    """The turns with this system prompt in place of their own."""
    others = [turn for turn in turns if turn["role"] != "system"]
    return [{"role": "system", "content": said}, *others]
