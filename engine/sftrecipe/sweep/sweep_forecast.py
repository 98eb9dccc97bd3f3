"""The forecast of a sweep: what its variants share, and what each adds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sftrecipe.calls.ledger.counted_calls import open_history
from sftrecipe.forecast.forecast import QUICK, forecast
from sftrecipe.plan.estimate import Estimate, Shortage, shortages
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.store.project import Project
from sftrecipe.sweep.sweep_run import is_judged, sweep_trainings


@dataclass(frozen=True)
class SweepPart:
    """Steps of a sweep that are still to be executed."""

    variant: str | None
    """Whose alone they are; None: of several variants, executed once."""
    estimates: Sequence[Estimate]

    @property
    def trainings(self) -> int:
        """How many of them are trainings."""
        return sum(isinstance(each.step.block.plugin, Trainer) for each in self.estimates)


def sweep_forecast(recipe: CheckedRecipe, project: Project, out: Path) -> list[SweepPart]:
    """What the variants share, then what each adds. Asks no model; exports are not told."""
    assert recipe.sweep is not None  # noqa: S101 - the callers ask before
    needed: dict[str, set[str]] = defaultdict(set)
    estimates: dict[str, Estimate] = {}
    for training in sweep_trainings(recipe, project, out):
        for step in training.plan.steps:
            needed[step.key].add(training.variant.name)
        if not is_judged(training):
            for each in forecast(training.plan, project, training.out, QUICK):
                if each.standing is not None and not each.standing.cached:
                    estimates.setdefault(each.step.key, each)
    parts: dict[str | None, list[Estimate]] = {None: []}
    parts |= {variant.name: [] for variant in recipe.sweep.variants}
    for key, each in estimates.items():
        parts[next(iter(needed[key])) if len(needed[key]) == 1 else None].append(each)
    return [SweepPart(variant, each) for variant, each in parts.items()]


def sweep_too_small(
    parts: Sequence[SweepPart], recipe: CheckedRecipe, project: Project
) -> list[Shortage]:
    """The limits of the recipe's budget that the whole sweep will reach before it is done."""
    if not recipe.budget:
        return []
    estimates = [each for part in parts for each in part.estimates]
    with open_history(project.ledger) as history:
        found = shortages(estimates, recipe.budget, history.spent(recipe.name))
    return [each for each in found if each.step is None]
