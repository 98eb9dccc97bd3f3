"""One system prompt a conversation, at its beginning."""

from __future__ import annotations

from collections.abc import Sequence

from sftrecipe.record import Turn
from sftrecipe.turns.faults import UnreadTurn, unread_part


def one_system(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with the system prompts at their beginning as one.

    No model and no trainer takes several. Raises UnreadTurn for one that comes later: what it
    says of the turns before it cannot be known.
    """
    count = next((at for at, turn in enumerate(turns) if turn["role"] != "system"), len(turns))
    for number, turn in enumerate(turns[count:], count + 1):
        if turn["role"] == "system":
            raise UnreadTurn("late_system", f"turn {number} of {len(turns)}")
    for turn in turns[:count]:
        if part := next((key for key in turn if key not in ("role", "content", "name")), None):
            raise unread_part("system", part)
    if count < 2:
        return list(turns)
    said = dict.fromkeys(turn["content"] for turn in turns[:count] if turn["content"])
    return [{"role": "system", "content": "\n\n".join(said)}, *turns[count:]]
