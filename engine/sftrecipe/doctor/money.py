"""Prices and the budget."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from sftrecipe.calls.limits.prices import currency_of, looked_up, price_of
from sftrecipe.doctor.finding import Finding, ok, raised, warning
from sftrecipe.doctor.provider_check import providers_of
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.vendors.vendor_facts import facts_date
from sftrecipe.recipe.recipe import Budget, CheckedRecipe
from sftrecipe.run.contexts import unheld_costs


def check_prices(recipe: CheckedRecipe) -> Iterator[Finding]:
    """Each provider's price and where it stands, and whether something bounds what is spent."""
    costs = False
    blocks = [*recipe.generate, *recipe.filter, *recipe.evaluate]
    unheld = list(unheld_costs(recipe, blocks))
    yield from (raised("price", name, error) for name, error in unheld)
    currency = currency_of([recipe.budget, *(block.budget for block in blocks)])
    for name, provider in providers_of(recipe).items():
        if name in dict(unheld):
            continue
        price = price_of(provider, currency)
        if price is None:
            model = provider.model_name()
            yield warning("price", name, "doctor-no-price", "budget-no-price", model=model)
        elif price.free:
            yield ok("price", name, "doctor-free")
        else:
            costs = True
            slug = _source(provider)
            written = {
                "input": price.input,
                "cached": price.of_cached,
                "output": price.output,
                "currency": price.currency,
            }
            yield ok("price", name, slug, **written, litellm=_litellm(), date=str(facts_date()))
    budgets = {"": recipe.budget, **{block.id: block.budget for block in blocks}}
    for subject, budget in budgets.items():
        if budget:
            yield ok("budget", subject, "doctor-budget", limits=_limits(budget))
    bounded = recipe.budget or all(block.budget for block in blocks if block.asks)
    if costs and not bounded:
        yield warning("budget", "", "doctor-no-budget", "doctor-no-budget")


def _source(provider: Provider) -> str:
    """Where the price of a provider stands, as a message says it."""
    if provider.price:
        return "doctor-price-recipe"
    return "doctor-price-vendor" if looked_up(provider)[1] else "doctor-price-litellm"


def _litellm() -> str | None:
    try:
        return version("litellm")
    except PackageNotFoundError:
        return None


def _limits(budget: Budget) -> str:
    cost = None if budget.max_cost is None else f"{budget.max_cost:g} {budget.currency}"
    limits = {"max_cost": cost, "max_calls": budget.max_calls, "max_tokens": budget.max_tokens}
    return ", ".join(f"{name} {most}" for name, most in limits.items() if most is not None)
