"""The budget: a wall. What a call may cost is reserved before it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
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
    """What a run has, and what each of its steps has of that; shared by all its providers."""

    def __init__(self, budget: Budget, steps: Mapping[str, Budget] | None = None) -> None:
        self._whole = Wall(budget)
        self._steps = {step: Wall(each, step) for step, each in (steps or {}).items()}
        self._changed: asyncio.Event | None = None

    @property
    def spent(self) -> Spent:
        """Requests, tokens and money of the run so far."""
        return self._whole.spent

    def spent_before(self, step: str, spent: Spent) -> None:
        """Count what earlier engines spent."""
        for wall in self._walls(step):
            wall.spent.add(spent)

    async def reserve(self, estimate: Callable[[], Spent], step: str) -> Spent:
        """Set the most that an attempt of a step may cost aside.

        What others have reserved may come back, and make the estimate better, so it waits for them
        first. Raises BudgetReached when nothing can come back any more and the rest is too little.
        """
        walls = self._walls(step)
        wanted = estimate()
        while any(wall.must_wait(wanted) for wall in walls):
            if self._changed is None:
                self._changed = asyncio.Event()
            await self._changed.wait()
            wanted = estimate()
        for wall in walls:
            wall.reserved.add(wanted)
        return wanted

    def settle(self, reserved: Spent, paid: Spent, step: str) -> None:
        """Replace what was reserved by what was paid."""
        for wall in self._walls(step):
            wall.reserved.add(reserved, -1)
            wall.spent.add(paid)
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def _walls(self, step: str) -> list[Wall]:
        return [self._whole, self._steps[step]] if step in self._steps else [self._whole]


class Wall:
    """One budget, with what is spent and what is set aside of it."""

    def __init__(self, budget: Budget, step: str | None = None) -> None:
        self.spent = Spent()
        self.reserved = Spent()
        self._budget = budget
        self._step = step

    def must_wait(self, wanted: Spent) -> bool:
        """Whether so much is there only if something that is set aside comes back.

        Raises BudgetReached when nothing is set aside, and the rest is too little.
        """
        if not self._budget or (limit := self._beyond(wanted)) is None:
            return False
        if self.reserved.requests or self.reserved.tokens:
            return True
        raise self._reached(limit)

    def _beyond(self, wanted: Spent) -> str | None:
        budget, spent, reserved = self._budget, self.spent, self.reserved
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
        budget, spent = self._budget, self.spent
        if which == "max_cost":
            used = f"{spent.cost:.4g} {budget.currency}"
            most = f"{budget.max_cost:g} {budget.currency}"
        else:
            used = str(spent.requests if which == "max_calls" else spent.tokens)
            most = str(getattr(budget, which))
        values = {"limit": which, "used": used, "most": most}
        if self._step is None:
            return BudgetReached("budget-reached", "budget-reached", **values)
        return BudgetReached("step-budget-reached", "budget-reached", step=self._step, **values)
