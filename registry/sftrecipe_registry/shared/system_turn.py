"""Chat turns under another system prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def with_system(turns: Sequence[Mapping[str, str]], said: str) -> list[dict[str, str]]:
    """The turns with this system prompt in place of their own."""
    others = [dict(turn) for turn in turns if turn["role"] != "system"]
    return [{"role": "system", "content": said}, *others]
