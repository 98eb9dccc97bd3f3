"""What generators do with the thought before a reply."""

from __future__ import annotations

from typing import Annotated, Literal

from sftrecipe.plugin import LaterMarker, Plugin, Reply

Kept = Annotated[Literal["keep", "drop"], LaterMarker()]


class KeptThought(Plugin):
    """Mix into a generator whose replies become rows' answers, before its own class."""

    reasoning: Kept = "keep"
    """Keep the thought before a model's reply in the column `reasoning` (of chat turns, in the
    turn), or drop it. The reply itself is without it either way."""

    def thought(self, reply: Reply) -> str:
        """The reply's thought, where it is kept."""
        return reply.reasoning if self.reasoning == "keep" else ""

    def thought_columns(self) -> frozenset[str]:
        """The column that takes it."""
        return frozenset({"reasoning"} if self.reasoning == "keep" else ())
