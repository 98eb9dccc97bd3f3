"""Keeping to the limits that a server tells with its replies, so that it need not answer 429.

A server's account of what remains is that of the moment when it counted the call; what has left
since is taken off. While half of the limit remains, calls go as they come. Below, what remains is
spread over the time until the reset: a server that gives back bit by bit is then used at just that
rate, one that gives all back at once is used up at just that time. With nothing left, calls wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from sftrecipe.calls.limits.failures import TOLD_FROM
from sftrecipe.plugin.provider import LimitSeen, LimitsSeen

PERIOD = 60.0
"""Seconds over which what remains is spread; the limits of longer periods, a day's, are used as
fast as the calls come. Also the reset where a server tells none."""
LONGEST = 600.0
"""Seconds to a reset above which calls do not wait for it: the server's own words end the run."""
PROBING = 5.0
"""Seconds between two calls to a server that has nothing left and tells no reset."""
LOOK_AGAIN = 0.25
"""Seconds after which a waiting call looks whether a reply told better."""
LIES = 2
"""Calls that a server answers although it told that none is left, before it is not believed."""


class Mark(NamedTuple):
    """A call's place among those that left."""

    at: float
    """Units that had left, its own included."""
    beyond: bool
    """Whether the server had told that nothing is left."""


class Allowance:
    """What remains of one limit, in requests or tokens. Times are the event loop's, in seconds."""

    def __init__(self) -> None:
        self.known = False
        self._limit: float | None = None
        self._remaining = 0.0
        self._told = self._renewed = 0.0
        self._soon = False
        self._gap = PERIOD
        self._sent = self._mark = 0.0
        self._last_left = 0.0
        self._lies = 0

    def leaves(self, units: float, now: float) -> Mark:
        """Count a call that leaves."""
        beyond = self.known and self._left(now) < min(units, self._limit or units)
        self._sent += units
        self._last_left = now
        return Mark(self._sent, beyond)

    def told(self, seen: LimitSeen, mark: Mark, now: float, *, answered: bool) -> None:
        """Learn what a reply says; an older call's reply is passed over."""
        if seen.remaining is None or self._lies >= LIES or (self.known and mark.at < self._mark):
            return
        if mark.beyond and answered and seen.remaining < 1:
            self._lies += 1
        self.known = self._lies < LIES
        self._limit, self._remaining = seen.limit, seen.remaining
        self._mark, self._told = mark.at, now
        reset = PERIOD if seen.reset is None else seen.reset
        self._renewed, self._soon = now + reset, reset <= PERIOD
        self._gap = PROBING if seen.reset is None else PERIOD

    def pause(self, units: float, now: float) -> float:
        """Seconds that a call of so many units should wait from now."""
        if not self.known:
            return 0.0
        if now > self._renewed + PERIOD:
            self.known = False  # nothing was told for so long: it holds no more
            return 0.0
        left, limit = self._left(now), self._limit
        since = max(self._told, self._last_left)
        if left < min(units, limit or units):
            if self._renewed - now > LONGEST:
                return 0.0
            again = self._renewed if now < self._renewed else now + LOOK_AGAIN
            return max(0.0, min(again, since + self._gap) - now)
        until = self._renewed - now
        if limit is None or left >= limit / 2 or not self._soon or until <= 0:
            return 0.0
        return max(0.0, self._last_left + units * until / left - now)

    def _left(self, now: float) -> float:
        """Units that the server should still let in."""
        whole = self._remaining if now < self._renewed else self._limit
        return float("inf") if whole is None else whole - (self._sent - self._mark)


class ServerLimits:
    """Both limits of a server; those that the recipe states itself are left to it."""

    def __init__(self, *, requests: bool, tokens: bool) -> None:
        self._requests = Allowance() if requests else None
        self._tokens = Allowance() if tokens else None
        self._turn = asyncio.Lock()

    def hold(self) -> bool:
        """Whether anything was told that calls must keep to."""
        return any(each is not None and each.known for each in (self._requests, self._tokens))

    async def wait(
        self, tokens: float, told: Callable[[float], None] = lambda seconds: None
    ) -> None:
        """Wait until a call of so many tokens may leave; first come, first served.

        `told` hears of a wait of more than a few seconds.
        """
        loop = asyncio.get_running_loop()
        async with self._turn:
            while True:
                pause = self._pause(tokens, loop.time())
                if pause <= 0:
                    return
                if pause > TOLD_FROM:
                    told(pause)
                await asyncio.sleep(min(pause, LOOK_AGAIN))

    def leaves(self, tokens: float) -> tuple[Mark | None, Mark | None]:
        """Count a call that leaves now."""
        now = asyncio.get_running_loop().time()
        return (
            self._requests.leaves(1, now) if self._requests is not None else None,
            self._tokens.leaves(tokens, now) if self._tokens is not None else None,
        )

    def told(
        self, seen: LimitsSeen, marks: tuple[Mark | None, Mark | None], *, answered: bool
    ) -> None:
        """Learn what the reply to a call says."""
        now = asyncio.get_running_loop().time()
        requests, tokens = marks
        if self._requests is not None and requests is not None:
            self._requests.told(seen.requests, requests, now, answered=answered)
        if self._tokens is not None and tokens is not None:
            self._tokens.told(seen.tokens, tokens, now, answered=answered)

    def _pause(self, tokens: float, now: float) -> float:
        return max(
            self._requests.pause(1, now) if self._requests is not None else 0.0,
            self._tokens.pause(tokens, now) if self._tokens is not None else 0.0,
        )
