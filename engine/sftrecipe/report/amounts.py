"""Numbers and ranges of calls, tokens and money, in the user's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sftrecipe.messages import message
from sftrecipe.plan.estimate import Range
from sftrecipe.recipe.checked import Budget


def range_text(values: Range) -> str:
    """`54`, `54 to 108`, `54 or more`, `?`."""
    least, most = values
    if most is None:
        return message("plan-at-least", {"least": f"{least:,}"}) if least else "?"
    return _from_to(f"{least:,}", f"{most:,}")


def cost_text(costs: Mapping[str, tuple[float, float | None]]) -> str:
    """The cost in every currency."""
    return " + ".join(
        f"{_from_to(_money(low), '?' if high is None else _money(high))} {currency}"
        for currency, (low, high) in costs.items()
    )


def limits_text(budget: Budget) -> str:
    """What a budget allows."""
    limits = []
    if budget.max_cost is not None:
        limits.append(f"{budget.max_cost:g} {budget.currency}")
    if budget.max_calls is not None:
        limits.append(message("amount-calls", {"count": f"{budget.max_calls:,}"}))
    if budget.max_tokens is not None:
        limits.append(message("amount-tokens", {"count": f"{budget.max_tokens:,}"}))
    return ", ".join(limits)


def amounts_text(
    calls: Range, tokens: Range, costs: Mapping[str, tuple[float, float | None]]
) -> str:
    """Calls, tokens and cost in one line."""
    parts: Sequence[str] = (
        message("amount-calls", {"count": range_text(calls)}),
        message("amount-tokens", {"count": range_text(tokens)}),
        cost_text(costs),
    )
    return ", ".join(part for part in parts if part)


def _from_to(least: str, most: str) -> str:
    if least == most:
        return least
    return message("plan-range", {"least": least, "most": most})


def _money(amount: float) -> str:
    """Two digits after the point; of small amounts the first two that are not zero."""
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else f"{amount:.2g}"
