"""The budget: a wall. What a call may cost is reserved before it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.provider import Price
from sftrecipe.recipe.checked import Budget

FIRST_GUESS = 1024
"""Output tokens that a call without `max_tokens` is taken to write, until replies tell more."""


class BudgetReached(SftrecipeError):
    """The run pauses; it goes on with a larger budget (exit status 3)."""

    exit_status = 3


@dataclass(slots=True)
class Spent:
    """Requests, tokens and money: reserved, or paid."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0

    def add(self, other: Spent, times: int = 1) -> None:
        """Add another, or take it off."""
        self.requests += times * other.requests
        self.tokens += times * other.tokens
        self.cost += times * other.cost


def cost_of(price: Price | None, input_tokens: int, output_tokens: int) -> float:
    """What tokens cost, in the price's currency."""
    if price is None:
        return 0.0
    return (price.input * input_tokens + price.output * output_tokens) / 1e6


class OutputGuess:
    """How much a reply of one provider may write at most, where no `max_tokens` tells."""

    def __init__(self) -> None:
        self._most = 0

    def guess(self, max_tokens: int | None) -> int:
        """Output tokens to reserve."""
        if max_tokens is not None:
            return max_tokens
        return FIRST_GUESS if self._most == 0 else self._most + self._most // 4

    def seen(self, output_tokens: int) -> None:
        """Learn from a reply."""
        self._most = max(self._most, output_tokens)


class Purse:
    """What a run has, shared by all its providers."""

    def __init__(self, budget: Budget, before: Spent | None = None) -> None:
        self.budget = budget
        self.spent = before or Spent()
        self._reserved = Spent()
        self._changed: asyncio.Event | None = None
        self._limited = (budget.max_calls, budget.max_cost, budget.max_tokens) != (None, None, None)

    async def reserve(self, estimate: Callable[[], Spent]) -> Spent:
        """Set the most that an attempt may cost aside.

        What others have reserved may come back, and make the estimate better, so it waits for them
        first. Raises BudgetReached when nothing can come back any more and the rest is too little.
        """
        wanted = estimate()
        while self._limited and (reached := self._beyond(wanted)):
            if self._reserved.requests == 0:
                raise self._reached(reached)
            if self._changed is None:
                self._changed = asyncio.Event()
            await self._changed.wait()
            wanted = estimate()
        self._reserved.add(wanted)
        return wanted

    def settle(self, reserved: Spent, paid: Spent) -> None:
        """Replace what was reserved by what was paid."""
        self._reserved.add(reserved, -1)
        self.spent.add(paid)
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def _beyond(self, wanted: Spent) -> str | None:
        budget, spent, reserved = self.budget, self.spent, self._reserved
        if (
            budget.max_calls is not None
            and spent.requests + reserved.requests + wanted.requests > budget.max_calls
        ):
            return "max_calls"
        if (
            budget.max_tokens is not None
            and spent.tokens + reserved.tokens + wanted.tokens > budget.max_tokens
        ):
            return "max_tokens"
        if (
            budget.max_cost is not None
            and wanted.cost > 0
            and spent.cost + reserved.cost + wanted.cost > budget.max_cost
        ):
            return "max_cost"
        return None

    def _reached(self, which: str) -> BudgetReached:
        budget, spent = self.budget, self.spent
        if which == "max_cost":
            used = f"{spent.cost:.4g} {budget.currency}"
            most = f"{budget.max_cost:g} {budget.currency}"
        else:
            used = str(spent.requests if which == "max_calls" else spent.tokens)
            most = str(getattr(budget, which))
        return BudgetReached("budget-reached", "budget-reached", limit=which, used=used, most=most)
