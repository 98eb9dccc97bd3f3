"""The budgets of a recipe and its blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sftrecipe.recipe.recipe import Budget

_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_YUAN = ("CNY", "RMB", "元", "¥", "￥")


def budget_of(written: Mapping[str, Any] | None) -> Budget:
    """The budget as a recipe whose shape is right writes it."""
    if not written:
        return Budget()
    cost = written.get("max_cost")
    amount = _AMOUNT.search(cost) if cost else None
    return Budget(
        max_cost=float(amount[0]) if amount else None,
        currency="CNY" if cost and any(sign in cost for sign in _YUAN) else "USD",
        max_calls=written.get("max_calls"),
        max_tokens=written.get("max_tokens"),
    )
