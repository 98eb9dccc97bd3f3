"""What was asked, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from sftrecipe.plugin.endings import OPEN_THOUGHT, THOUGHT_ALONE
from sftrecipe.plugin.provider import Answer
from sftrecipe.store.json_fields import field_of

_WITHIN_THE_THOUGHT = frozenset({THOUGHT_ALONE, OPEN_THOUGHT})


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
    estimated: int = 0
    """Calls whose tokens were not told, but are counted from the texts."""
    unpriced: int = 0
    """Calls whose price is not known, and which `cost` leaves out."""
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input's, those that the server had in its cache."""
    output_tokens: int = 0
    thoughts: int = 0
    """Replies with a thought before the answer, those out of the ledger included."""
    thoughts_cut: int = 0
    """Those of them that ended within the thought."""
    thought_tokens: int = 0
    """Of the output's, those of thoughts, where the server told them."""
    cost: float = 0.0
    currency: str | None = None

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it; counts that an earlier version did not know are none."""
        known = {name: field_of(found, name, usual) for name, usual in _USUAL.items()}
        return cls(**known, currency=field_of(found, "currency", "") or None)

    def read(self, answer: Answer) -> None:
        """Count the thought of a reply that is handed on."""
        if answer.reasoning or answer.finish_reason in _WITHIN_THE_THOUGHT:
            self.thoughts += 1
            self.thoughts_cut += answer.finish_reason in _WITHIN_THE_THOUGHT
            self.thought_tokens += answer.reasoning_tokens


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


_USUAL: dict[str, Any] = {
    each.name: each.default for each in fields(Usage) if each.name != "currency"
}
_COUNTS = tuple(_USUAL)
