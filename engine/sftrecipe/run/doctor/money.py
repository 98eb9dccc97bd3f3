"""Prices and the budget."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from sftrecipe.calls.prices import price_of, priced_for
from sftrecipe.errors import UsageError
from sftrecipe.recipe.checked import Budget, CheckedRecipe
from sftrecipe.run.doctor.finding import Finding, ok, raised, warning
from sftrecipe.run.doctor.providers import providers_of


def check_prices(recipe: CheckedRecipe) -> Iterator[Finding]:
    """Each provider's price and where it stands, and whether something bounds what is spent."""
    costs = False
    for name, provider in providers_of(recipe).items():
        try:
            priced_for(recipe.budget, name, provider)
        except UsageError as error:
            yield raised("price", name, error)
            continue
        price = price_of(provider)
        if price is None:
            model = provider.model_name()
            yield warning("price", name, "doctor-no-price", "budget-no-price", model=model)
        elif not (price.input or price.output):
            yield ok("price", name, "doctor-free")
        else:
            costs = True
            slug = "doctor-price-recipe" if provider.price else "doctor-price-litellm"
            written = {"input": price.input, "output": price.output, "currency": price.currency}
            yield ok("price", name, slug, **written, litellm=_litellm())
    if costs and recipe.budget == Budget():
        yield warning("budget", "", "doctor-no-budget", "doctor-no-budget")
    elif recipe.budget != Budget():
        yield ok("budget", "", "doctor-budget", limits=_limits(recipe.budget))


def _litellm() -> str | None:
    try:
        return version("litellm")
    except PackageNotFoundError:
        return None


def _limits(budget: Budget) -> str:
    cost = None if budget.max_cost is None else f"{budget.max_cost:g} {budget.currency}"
    limits = {"max_cost": cost, "max_calls": budget.max_calls, "max_tokens": budget.max_tokens}
    return ", ".join(f"{name} {most}" for name, most in limits.items() if most is not None)
