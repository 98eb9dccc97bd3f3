"""A recipe by itself: what its plugins need, models that are withdrawn, prices and budgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version

from sftrecipe.calls.limits.prices import currency_of, looked_up, price_of
from sftrecipe.doctor.doctor_finding import DoctorFinding, need_finding, ok, raised, warning
from sftrecipe.doctor.provider_check import providers_of
from sftrecipe.errors import Position, Problem
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.vendors.vendor_facts import facts_date
from sftrecipe.recipe.checks.withdrawn_models import model_values, served_by
from sftrecipe.recipe.recipe import Budget, CheckedRecipe
from sftrecipe.run.contexts import unheld_costs


def check_plugins_needs(recipe: CheckedRecipe) -> Iterator[DoctorFinding]:
    """Packages, programs, environments, models: block by block, the same need told once.

    What a run would refuse for is told here too, so that it is found without asking anybody.
    """
    told = set()
    for block in recipe.blocks:
        try:
            found = (*block.plugin.check_machine(), *block.plugin.missing())
        except Exception as error:  # a third party's check must not end the others
            values = {"use": block.use, "error": f"{type(error).__name__}: {error}"}
            problem = Problem("doctor-check-failed", None, values, None)
            yield DoctorFinding("needs", block.id, "fault", problem, values)
            continue
        for each in found:
            if (block.use, each.found) not in told:
                told.add((block.use, each.found))
                yield need_finding("needs", block.id, block.use, each)


_AHEAD = timedelta(days=90)
_IN_THE_WAY = "unset-environment"
"""What a provider's own check tells, unless nobody is asked."""


def check_withdrawals(
    recipe: CheckedRecipe, today: date, *, offline: bool
) -> Iterator[DoctorFinding]:
    """The recipe's warnings, and models whose last day is near."""
    for problem in recipe.warnings:
        subject = _provider_at(recipe, problem.position)
        if problem.slug != _IN_THE_WAY:
            yield DoctorFinding("provider", subject, "warning", problem)
        elif offline:
            yield DoctorFinding("provider", subject, "fault", problem)
    for name, provider in providers_of(recipe).items():
        vendor, model = served_by(provider)
        if vendor is None or model is None or model.retired is None:
            continue
        if today <= model.retired <= today + _AHEAD:
            values = {**model_values(vendor, model), "date": str(model.retired)}
            hint = "model-successor" if model.successor else "current-models"
            yield warning("provider", name, "doctor-model-retires", hint, **values)


def _provider_at(recipe: CheckedRecipe, place: Position | None) -> str:
    """The provider in whose block a place is; empty where it is in none."""
    found = ""
    for name, block in recipe.providers.items():
        start = block.position
        if place and start and start.path == place.path and start.line <= place.line:
            found = name
    return found


def check_prices(recipe: CheckedRecipe) -> Iterator[DoctorFinding]:
    """Each provider's price and where it stands, and whether something bounds what is spent."""
    costs = False
    blocks = recipe.blocks_until("evaluate")
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
