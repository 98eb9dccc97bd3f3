"""What `validate` warns of, and models that their vendor is to withdraw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sftrecipe.doctor.finding import Finding, warning
from sftrecipe.doctor.provider_check import providers_of
from sftrecipe.errors import Position
from sftrecipe.recipe.checks.withdrawn_models import model_values, served_by
from sftrecipe.recipe.recipe import CheckedRecipe

_AHEAD = timedelta(days=90)
_IN_THE_WAY = "unset-environment"
"""What a provider's own check tells, unless nobody is asked."""


def check_withdrawals(recipe: CheckedRecipe, today: date, *, offline: bool) -> Iterator[Finding]:
    """The recipe's warnings, and models whose last day is near."""
    for problem in recipe.warnings:
        subject = _provider_at(recipe, problem.position)
        if problem.slug != _IN_THE_WAY:
            yield Finding("provider", subject, "warning", problem)
        elif offline:
            yield Finding("provider", subject, "fault", problem)
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
