"""The budget: a wall. What a call may cost is set aside, in the ledger, before it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from sftrecipe.calls.ledger.accounts import Beyond, Reservation, Spent, Wall
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.ledger.entries import UNPAID, Claim, Paid
from sftrecipe.calls.limits.prices import cost_of, currency_of, price_of
from sftrecipe.calls.replies.reply_lengths import (
    LONGEST,
    WRITING,
    ExpectedLength,
    ReplyLengths,
    limit_of,
)
from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plugin.provider import MOST_TOKENS, Answer, CallFailed, Price, Provider, Request
from sftrecipe.recipe.recipe import Budget

LOOK_AGAIN, LONGEST_LOOK = 0.1, 3.0
"""Seconds between two looks at what other engines have in flight, at first and at most."""


class BudgetReached(SftrecipeError):
    """The run pauses; it goes on with a larger budget (exit status 3)."""

    exit_status = 3


class BudgetGate:
    """The budgets of a run and its steps, before which the calls of all its providers wait."""

    def __init__(
        self,
        budget: Budget,
        steps: Mapping[str, Budget] | None,
        ledger: Callable[[], Ledger],
        tell: Callable[[str], None],
    ) -> None:
        self._whole = [Wall(budget)] if budget else []
        self._steps = {step: Wall(each, step) for step, each in (steps or {}).items() if each}
        self._ledger = ledger
        self._tell = tell
        self._in_flight = 0
        self._waited = False
        self._changed: asyncio.Event | None = None
        self._doors: dict[str, asyncio.Lock] = {}

    @property
    def currency(self) -> str:
        """That of the budgets."""
        walls = [*self._whole, *self._steps.values()]
        return currency_of(wall.budget for wall in walls)

    def holds_tokens(self, step: str) -> bool:
        """Whether it matters for a step how long replies are."""
        budgets = [wall.budget for wall in self._walls(step)]
        return any(each.max_cost is not None or each.max_tokens is not None for each in budgets)

    async def leave(self, step: str, leaving: Callable[[Sequence[Wall]], None]) -> None:
        """Have an attempt leave as soon as the budgets reach for it.

        `leaving` writes it to the ledger, and raises Beyond where they do not. What is in flight,
        here or in other engines, may cost less than was set aside, so it is waited for. Raises
        BudgetReached when nothing can come back any more.
        """
        if not (walls := self._walls(step)):
            leaving(walls)
            self._in_flight += 1
            return
        # One after the other: a thousand calls at the wall must not all ask at each reply.
        async with self._doors.setdefault(step, asyncio.Lock()):
            pause = LOOK_AGAIN
            while True:
                try:
                    leaving(walls)
                except Beyond as beyond:
                    others = self._ledger().others_in_flight(beyond.wall.step)
                    if not self._in_flight and not others:
                        raise self._reached(beyond) from None
                    if not self._in_flight and not self._waited:
                        self._waited = True
                        self._tell(message("budget-waiting", {}))
                    pause = min(1.3 * pause, LONGEST_LOOK) if await self._waits(pause) else pause
                else:
                    self._in_flight += 1
                    return

    def landed(self) -> None:
        """An attempt that left has come to an end."""
        self._in_flight -= 1
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def spent(self) -> Spent:
        """Requests, tokens and money of the account so far, over all its engines."""
        total = Spent()
        for each in self._ledger().spent().values():
            total.requests += each.requests
            total.tokens += each.tokens
            total.cost += each.cost
        return total

    async def _waits(self, pause: float) -> bool:
        """Wait until an attempt lands, so many seconds at most; whether none did."""
        if self._changed is None:
            self._changed = asyncio.Event()
        try:
            async with asyncio.timeout(pause):
                await self._changed.wait()
        except TimeoutError:
            return True
        return False

    def _walls(self, step: str) -> list[Wall]:
        return [*self._whole, self._steps[step]] if step in self._steps else self._whole

    def _reached(self, beyond: Beyond) -> BudgetReached:
        budget, step, limit = beyond.wall.budget, beyond.wall.step, beyond.limit
        spent = self.spent() if step is None else self._ledger().spent().get(step, Spent())
        if limit == "max_cost":
            used = f"{spent.cost:.4g} {budget.currency}"
            most = f"{budget.max_cost:g} {budget.currency}"
        else:
            used = str(spent.requests if limit == "max_calls" else spent.tokens)
            most = str(getattr(budget, limit))
        hint = "budget-reached-lost" if beyond.doubt else "budget-reached"
        values = {"limit": limit, "used": used, "most": most, "lost": beyond.doubt}
        if step is None:
            return BudgetReached("budget-reached", hint, **values)
        return BudgetReached("step-budget-reached", hint, step=step, **values)


class Reservations:
    """Sets aside for a provider's attempts, and learns from its replies."""

    def __init__(
        self, provider: Provider, budget_gate: BudgetGate, ledger: Callable[[], Ledger]
    ) -> None:
        self._provider = provider
        self._budget_gate = budget_gate
        self._ledger = ledger
        self._lengths = ReplyLengths()
        self._learned = False
        self._read_beyond = 0

    @cached_property
    def price(self) -> Price | None:
        """What tokens cost; None where nobody knows."""
        return price_of(self._provider, self._budget_gate.currency)

    def tokens(self, claim: Claim, request: Request) -> int:
        """Tokens that an attempt takes at most, by all that is known."""
        return self._asked(claim) + self._reply(claim, request, guarded=False).likely

    def of(self, claim: Claim, request: Request, requests: int) -> Reservation:
        """What an attempt may take: prompt and longest reply."""
        guarded = self._budget_gate.holds_tokens(claim.step)
        asked, price = self._asked(claim), self.price
        likely, at_most, lost = self._reply(claim, request, guarded=guarded)
        spare = at_most - likely if guarded else 0
        # Without and with the server's cache, whatever costs more.
        read = max(cost_of(price, asked, 0), cost_of(price, asked, 0, asked))
        return Reservation(
            requests,
            asked + likely,
            read + cost_of(price, 0, likely),
            likely,
            spare,
            cost_of(price, 0, spare),
            cost_of(price, 0, 1),
            lost if guarded else likely,
        )

    def spent(self, answer: Answer, requests: int) -> Spent:
        """What a reply took."""
        read, written = answer.input_tokens, answer.output_tokens
        cost = cost_of(self.price, read, written, answer.cached_tokens)
        return Spent(requests, read + written, cost)

    def told(self, failure: CallFailed, requests: int) -> Spent | None:
        """What a reply that counts as a failure took; None where it does not tell."""
        reply = failure.reply
        if reply is None or not (
            0 < reply.input_tokens <= MOST_TOKENS and 0 < reply.output_tokens <= MOST_TOKENS
        ):
            return None
        return self.spent(reply, requests)

    def priced(self, cost: float | None) -> Paid:
        """A cost, with the price by which it is reckoned."""
        price = self.price
        if price is None:
            return UNPAID
        return Paid(cost, price.input, price.output, price.currency, price.of_cached)

    def teach(self, claim: Claim, request: Request, answer: Answer) -> None:
        """Learn from a reply what those to come may take."""
        beyond = answer.input_tokens - self._asked(claim)
        self._read_beyond += max(0, beyond)
        if request.kind in WRITING:
            most = limit_of(request.sampling)
            self._lengths.seen(claim.step, answer.output_tokens, most, answer.finish_reason)

    def _asked(self, claim: Claim) -> int:
        """Tokens of the prompt, rather too many than too few."""
        text = claim.request
        # Three bytes a token is on the high side for English and about right for Chinese.
        asked = len(text) // 3 + 8 if text.isascii() else len(text)
        return asked + self._read_beyond

    def _reply(self, claim: Claim, request: Request, *, guarded: bool) -> ExpectedLength:
        if request.kind not in WRITING:
            return ExpectedLength(0, 0, 0)
        most = limit_of(request.sampling)
        if guarded:
            self._learn(claim, most)
        likely, at_most, lost = self._lengths.expected(claim.step, most)
        if guarded and self._provider.deferred:
            # Nobody waits a day to see how long the first reply gets.
            likely = at_most = min(at_most, LONGEST) if most is None else likely
            lost = likely
        choices = request.sampling.get("n")
        if isinstance(choices, int) and choices > 1:
            likely, at_most, lost = choices * likely, choices * at_most, choices * lost
        return ExpectedLength(likely, at_most, lost)

    def _learn(self, claim: Claim, max_tokens: int | None) -> None:
        """Learn from the ledger, where no reply of this engine's own tells how long they get."""
        if self._learned and self._lengths.knows(claim.step, max_tokens):
            return
        self._learned = True
        if replies := self._ledger().lengths(claim.provider, claim.model):
            self._lengths = ReplyLengths()
            self._lengths.learn(replies)
