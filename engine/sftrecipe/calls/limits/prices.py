"""What tokens cost: the recipe's price, else that of the file of vendors, else litellm's map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import UsageError
from sftrecipe.plugin.provider import Price, Provider
from sftrecipe.plugin.vendors.vendor_facts import TokenPrice, own_name, vendor_of
from sftrecipe.recipe.recipe import Budget

_NOT_WRITING = ("embedding", "rerank")
"""Modes of models whose output costs nothing."""
_MAP = "model_prices_and_context_window_backup.json"


def price_of(provider: Provider, currency: str = "USD") -> Price | None:
    """The recipe's price, else the known one of the model, else None.

    `currency`: that of the budget; where a vendor has a price in it, that one counts.
    """
    return provider.price or looked_up(provider, currency)[0]


def looked_up(provider: Provider, currency: str = "USD") -> tuple[Price | None, bool]:
    """The known price of a provider's model, and whether it is the file of vendors that has it."""
    mapped = known_price(provider.model_name(), batch=provider.deferred)
    if mapped is not None and provider.deferred:
        return mapped, False  # the file has no prices of batches
    of_vendor = vendor_price(provider, currency)
    return (of_vendor, True) if of_vendor is not None else (mapped, False)


def vendor_price(provider: Provider, currency: str = "USD") -> Price | None:
    """The price in the file of vendors, where the provider's own address is the vendor's.

    The dearest that a token may be: in peak hours, and written while the model thinks. What a
    budget holds then holds at every hour.
    """
    model = provider.model_name()
    found: list[TokenPrice] = []
    for address in provider.sends().values() or ("",):
        vendor = vendor_of(address, model)
        known = vendor.model(own_name(vendor, model)) if vendor else None
        found += [each for each in (known.prices if known else ()) if each.holds_at(address)]
    found.sort(key=lambda each: each.currency != currency)
    return _as_asked(found[0]) if found else None


def _as_asked(price: TokenPrice) -> Price:
    return Price(
        input=price.input,
        output=max(price.output, price.reasoning or 0),
        cached_input=price.cached,
        currency=price.currency,
    )


def known_price(model: str, *, batch: bool = False) -> Price | None:
    """The price in litellm's map, where litellm is installed; litellm itself is not imported.

    None where the map has none, or 0: nothing is free because somebody left it out.

    In a batch, the batch price where the map has one: the full one is at least no less.
    """
    entry = _price_map().get(model) or {}
    tier = "_batches" if batch and "input_cost_per_token_batches" in entry else ""
    read = _per_million(entry, f"input_cost_per_token{tier}")
    written = _per_million(entry, f"output_cost_per_token{tier}")
    if entry.get("mode") in _NOT_WRITING:
        written = written or 0.0
    elif not written:
        return None  # a price that is left out, or 0, is one that nobody has looked up
    if not read or written is None:
        return None
    cached = None if batch else _per_million(entry, "cache_read_input_token_cost")
    return Price(input=read, output=written, cached_input=cached or None)


def currency_of(budgets: Iterable[Budget]) -> str:
    """The currency of the first budget that bounds a cost; USD where none does."""
    return next((each.currency for each in budgets if each.max_cost is not None), Budget.currency)


def cost_of(
    price: Price | None, input_tokens: int, output_tokens: int, cached_tokens: int = 0
) -> float:
    """What tokens cost, in the price's currency; cached ones are among those of the input."""
    if price is None:
        return 0.0
    read = price.input * (input_tokens - cached_tokens) + price.of_cached * cached_tokens
    return (read + price.output * output_tokens) / 1e6


def _per_million(entry: Mapping[str, Any], name: str) -> float | None:
    """A price in the map; None where it has none that is a number."""
    price = entry.get(name)
    if isinstance(price, bool) or not isinstance(price, int | float):
        return None
    return price * 1e6 if isfinite(price) and price >= 0 else None


def priced_for(budget: Budget, name: str, provider: Provider) -> Price | None:
    """The price of a provider under a budget.

    Raises UsageError when a `max_cost` could not be held: no price, or another currency's.
    """
    price = price_of(provider, budget.currency)
    if budget.max_cost is None:
        return price
    if price is None:
        raise UsageError(
            "budget-no-price", "budget-no-price", provider=name, model=provider.model_name()
        )
    if not price.free and price.currency != budget.currency:
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
