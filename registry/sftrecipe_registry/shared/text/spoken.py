"""Chat turns as one text, for prompts about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sftrecipe.plugin import Turn


def spoken(turns: Sequence[Turn]) -> str:
    """A lone turn's text; several as `role: text` lines; the system prompt is left out.

    A call of a tool stands as `name(arguments)`; thoughts are nobody's who judges what was said.
    """
    said = [turn for turn in turns if turn["role"] != "system"]
    if len(said) == 1:
        return _text(said[0])
    return "\n".join(f"{turn['role']}: {_text(turn)}" for turn in said)


def called(call: Mapping[str, Any]) -> str:
    """A call of a tool as `name(arguments)`."""
    return f"{call['name']}({json.dumps(call['arguments'], ensure_ascii=False)})"


def _text(turn: Turn) -> str:
    calls = map(called, turn.get("tool_calls", ()))
    return "\n".join(part for part in (turn["content"], *calls) if part)
