"""What was asked, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Usage:
    """Counts of one step at one provider."""

    asked: int = 0
    """Calls that were answered by the provider."""
    cached: int = 0
    """Calls that were answered out of the ledger, or by an equal call in flight."""
    failed: int = 0
    """Calls that failed for good."""
    refused: int = 0
    """Calls whose content was refused."""
    requests: int = 0
    """Requests that left, repeated ones included."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    currency: str | None = None


def summed(usages: Iterable[Usage]) -> Usage:
    """Several counts together; no cost when it is in several currencies."""
    total = Usage()
    currencies = set()
    for usage in usages:
        for name in _COUNTS:
            setattr(total, name, getattr(total, name) + getattr(usage, name))
        if usage.currency is not None:
            currencies.add(usage.currency)
    if len(currencies) == 1:
        total.currency = currencies.pop()
    else:
        total.cost = 0.0
    return total


_COUNTS = tuple(each.name for each in fields(Usage) if each.name != "currency")
