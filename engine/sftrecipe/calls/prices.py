"""What tokens cost: the recipe's price, else litellm's price map, read as a file."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import UsageError
from sftrecipe.plugin.provider import Price, Provider
from sftrecipe.recipe.checked import Budget

_MAP = "model_prices_and_context_window_backup.json"


def price_of(provider: Provider) -> Price | None:
    """The recipe's price, else the known one of the model, else None."""
    return provider.price or known_price(provider.model_name(), batch=provider.deferred)


def known_price(model: str, *, batch: bool = False) -> Price | None:
    """The price in litellm's map, where litellm is installed; litellm itself is not imported.

    In a batch, the batch price where the map has one: the full one is at least no less.
    """
    entry = _price_map().get(model) or {}
    if "input_cost_per_token" not in entry:
        return None
    tier = "_batches" if batch and "input_cost_per_token_batches" in entry else ""
    return Price(
        input=entry[f"input_cost_per_token{tier}"] * 1e6,
        output=entry.get(f"output_cost_per_token{tier}", 0) * 1e6,
    )


def priced_for(budget: Budget, name: str, provider: Provider) -> Price | None:
    """The price of a provider under a budget.

    Raises UsageError when a `max_cost` could not be held: no price, or another currency's.
    """
    price = price_of(provider)
    if budget.max_cost is None:
        return price
    if price is None:
        raise UsageError(
            "budget-no-price", "budget-no-price", provider=name, model=provider.model_name()
        )
    if (price.input or price.output) and price.currency != budget.currency:
        raise UsageError(
            "budget-currency",
            "budget-currency",
            provider=name,
            currency=price.currency,
            budget=budget.currency,
        )
    return price


@cache
def _price_map() -> dict[str, Any]:
    found = find_spec("litellm")
    if found is None or not found.submodule_search_locations:
        return {}
    path = Path(next(iter(found.submodule_search_locations))) / _MAP
    prices: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return prices
