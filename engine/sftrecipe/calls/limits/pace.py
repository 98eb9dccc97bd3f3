"""How fast a provider is asked: calls in flight, which adapt, and requests and tokens a minute."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

CROWDED = 0.25
"""Share of a round trip's calls turned away above which the provider is taken to be full: stray
refusals below it change nothing."""
COOLING = 0.1
"""Seconds that the place of a call that was turned away stays empty."""
LONGEST_QUIET = 64
"""Round trips between two tries to go above what was borne, at most."""


@dataclass(slots=True)
class Round:
    """The calls that left under one limit, until about as many have come back."""

    limit: int
    sent: int = 0
    back: int = 0
    turned_away: int = 0
    went_above: bool = False
    cut: bool = False

    def let_in(self) -> int:
        """How many calls at once the provider seems to bear, by the share it turned away."""
        share = self.turned_away / max(self.sent, self.limit)
        return int(self.limit * (1 - share) + 0.5)


@dataclass(slots=True)
class Ticket:
    """The right of one attempt to be in flight."""

    round: Round
    above: bool
    """Whether it left above what the provider was seen to bear."""


class ConcurrencyLimit:
    """Bounds the calls in flight by what the provider bears.

    It starts at the most that is allowed. When a large share of one round trip is turned away, the
    limit falls, once for that round trip, to the number that was let in. From there it tries a
    little more, in growing steps while that goes well, and after longer pauses when it does not.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self.in_flight = 0
        self._borne = most
        self._step = 1
        self._pause = 1
        self._quiet = 0
        self._round = Round(most)
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, *, again: bool = False) -> Ticket:
        """Wait for a place; first come, first served, and before all whoever comes again."""
        if self.in_flight >= self.limit or self._waiting:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            if again:
                self._waiting.appendleft(place)
            else:
                self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._free()
                raise
        else:
            self.in_flight += 1
        now = self._round
        now.sent += 1
        above = self.in_flight > self._borne
        now.went_above = now.went_above or above
        return Ticket(now, above)

    def leave(self, ticket: Ticket, *, turned_away: bool = False) -> None:
        """Give the place back, telling whether the provider was too busy."""
        past = ticket.round
        past.back += 1
        if turned_away:
            past.turned_away += 1
            self._crowded(ticket)
        if past is self._round and past.back >= self.limit:
            self._next_round()
        if turned_away:
            # A place that was refused is not filled at once: more refusals may be on their way.
            asyncio.get_running_loop().call_later(COOLING, self._free)
        else:
            self._free()

    def _crowded(self, ticket: Ticket) -> None:
        past = ticket.round
        if past.cut:
            # More of the same round trip come back: fewer were let in than it seemed.
            self._set(min(self.limit, past.let_in()))
        elif past is self._round and past.turned_away > CROWDED * max(past.sent, past.limit):
            past.cut = True
            self._set(past.let_in())
            self._step = self._pause = 1
            self._round = Round(self.limit)
        elif ticket.above and self.limit > self._borne:
            self.limit = self._borne
            self._step = 1
            self._pause = min(2 * self._pause, LONGEST_QUIET)
            self._quiet = 0

    def _set(self, limit: int) -> None:
        self.limit = self._borne = max(1, min(limit, self.most))
        self._quiet = 0

    def _next_round(self) -> None:
        past = self._round
        if self.limit > self._borne and past.went_above:
            self._borne = self.limit
            self._step = min(2 * self._step, 1 + self._borne // 8)
            self._pause = 1
        if self.limit < self.most:
            self._quiet += 1
            if self._quiet >= self._pause:
                self._quiet = 0
                self.limit = min(self.most, self.limit + self._step)
        self._round = Round(self.limit)

    def _free(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)


class Meter:
    """So many units a minute, one second's worth at once; first come, first served."""

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._most = max(1.0, self._rate)
        self._level = self._most
        self._at: float | None = None
        self._turn = asyncio.Lock()

    async def take(self, units: float) -> None:
        """Wait until the units may be used; more than a second's worth is taken on credit."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if (wait := self._lacking(min(units, self._most), loop.time())) > 0:
                await asyncio.sleep(wait)
                self._lacking(units, loop.time())
            self._level -= units

    def give_back(self, units: float) -> None:
        """What was not used after all; negative: what was used beyond."""
        self._level = min(self._level + units, self._most)

    def _lacking(self, units: float, now: float) -> float:
        if self._at is not None:
            self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._level >= units - 1e-9 else (units - self._level) / self._rate
