"""The budget: a wall. What a call may cost is set aside, in the ledger, before it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sftrecipe.calls.ledger.accounts import Beyond, Spent, Wall
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.limits.prices import currency_of
from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plugin.provider import Price
from sftrecipe.recipe.recipe import Budget

LOOK_AGAIN, LONGEST_LOOK = 0.1, 3.0
"""Seconds between two looks at what other engines have in flight, at first and at most."""


class BudgetReached(SftrecipeError):
    """The run pauses; it goes on with a larger budget (exit status 3)."""

    exit_status = 3


def cost_of(
    price: Price | None, input_tokens: int, output_tokens: int, cached_tokens: int = 0
) -> float:
    """What tokens cost, in the price's currency; cached ones are among those of the input."""
    if price is None:
        return 0.0
    read = price.input * (input_tokens - cached_tokens) + price.of_cached * cached_tokens
    return (read + price.output * output_tokens) / 1e6


class Purse:
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
        self._flying = 0
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
            self._flying += 1
            return
        # One after the other: a thousand calls at the wall must not all ask at each reply.
        async with self._doors.setdefault(step, asyncio.Lock()):
            pause = LOOK_AGAIN
            while True:
                try:
                    leaving(walls)
                except Beyond as beyond:
                    others = self._ledger().others_fly(beyond.wall.step)
                    if not self._flying and not others:
                        raise self._reached(beyond) from None
                    if not self._flying and not self._waited:
                        self._waited = True
                        self._tell(message("budget-waiting", {}))
                    pause = min(1.3 * pause, LONGEST_LOOK) if await self._waits(pause) else pause
                else:
                    self._flying += 1
                    return

    def landed(self) -> None:
        """An attempt that left has come to an end."""
        self._flying -= 1
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
