"""Numbers and ranges of calls, tokens and money, in the user's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sftrecipe.messages import message
from sftrecipe.plan.estimate import Range
from sftrecipe.recipe.recipe import Budget


def range_text(values: Range) -> str:
    """`54`, `54 to 108`, `54 or more`, `?`."""
    least, most = values
    if most is None:
        return message("plan-at-least", {"least": f"{least:,}"}) if least else "?"
    return _from_to(f"{least:,}", f"{most:,}")


def likely_text(likely: int | None, values: Range, text: str | None = None) -> str:
    """`likely 60, 54 to 108`; the range alone (`text`) where it says all, or nothing is likely."""
    sure = likely is None or values[0] == values[1] or values == (likely, None)
    return _with_likely(None if sure else f"{likely:,}", text or range_text(values))


def cost_text(
    costs: Mapping[str, tuple[float, float | None]],
    likely: Mapping[str, float | None] | None = None,
) -> str:
    """The cost in every currency: `likely 1.20 USD, 0.40 to 3.10`."""
    texts = []
    for currency, (low, high) in costs.items():
        range_ = _from_to(_money(low), "?" if high is None else _money(high))
        point = (likely or {}).get(currency)
        if point is None or low == high:
            texts.append(f"{range_} {currency}")
        else:
            texts.append(_with_likely(f"{_money(point)} {currency}", range_))
    return " + ".join(texts)


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


def _with_likely(likely: str | None, values: str) -> str:
    if likely is None or likely == values:
        return values
    return message("plan-point", {"likely": likely, "range": values})


def _from_to(least: str, most: str) -> str:
    if least == most:
        return least
    return message("plan-range", {"least": least, "most": most})


def _money(amount: float) -> str:
    """Two digits after the point; of small amounts the first two that are not zero."""
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else f"{amount:.2g}"
