"""Chat turns as models are asked: without what is of no concern to who answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_UNASKED = frozenset({"reasoning", "train"})
"""Parts of a turn that are never sent, and so no part of a call's key: earlier thoughts, which the
models' own templates leave out, and whether a turn is learned."""
_PLAIN = {"role", "content"}


def asked_turns(turns: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The turns that are sent."""
    return tuple(
        turn
        if turn.keys() <= _PLAIN
        else {name: value for name, value in turn.items() if name not in _UNASKED}
        for turn in turns
    )


def speaks_of_tools(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a turn calls a tool, or is what one returned."""
    return any(turn.get("tool_calls") or turn.get("role") == "tool" for turn in turns)
