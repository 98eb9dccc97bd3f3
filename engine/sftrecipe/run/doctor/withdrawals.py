"""What `validate` warns of, and models that their vendor is to withdraw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sftrecipe.recipe.checked import CheckedRecipe
from sftrecipe.recipe.withdrawn import model_values, served_by
from sftrecipe.run.doctor.finding import Finding, warning
from sftrecipe.run.doctor.providers import providers_of

_AHEAD = timedelta(days=90)
_IN_THE_WAY = "unset-environment"
"""What a provider's own check tells, unless nobody is asked."""


def check_withdrawals(recipe: CheckedRecipe, *, offline: bool) -> Iterator[Finding]:
    """The recipe's warnings, and models whose last day is near."""
    for problem in recipe.warnings:
        if problem.slug != _IN_THE_WAY:
            yield Finding("provider", "", "warning", problem)
        elif offline:
            yield Finding("provider", "", "fault", problem)
    today = date.today()
    for name, provider in providers_of(recipe).items():
        vendor, model = served_by(provider)
        if vendor is None or model is None or model.retired is None:
            continue
        if today <= model.retired <= today + _AHEAD:
            values = {**model_values(vendor, model), "date": str(model.retired)}
            hint = "model-successor" if model.successor else "current-models"
            yield warning("provider", name, "doctor-model-retires", hint, **values)
