"""What a server tells of its own limits with a reply."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

from sftrecipe.plugin.provider import Answer, Request


class LimitSeen(NamedTuple):
    """One limit; None: not told."""

    limit: float | None = None
    """Units in one period: a minute with most vendors, a day with some."""
    remaining: float | None = None
    """Units that may still be used."""
    reset: float | None = None
    """Seconds until all of them may be used again."""


class LimitsSeen(NamedTuple):
    """The limits on requests and on tokens."""

    requests: LimitSeen
    tokens: LimitSeen


@runtime_checkable
class TellsLimits(Protocol):
    """An adapter that passes on what servers tell of their limits; the engine paces by it."""

    limits_seen: LimitsSeen | None
    """Of the reply that `send` got last, whether it returned or raised; None: it told nothing.

    Read at once when `send` ends: set it after the last `await` that may let another call run.
    """

    async def send(self, request: Request) -> Answer:
        """One attempt, as every adapter makes it."""
