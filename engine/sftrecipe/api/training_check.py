"""What a recipe's trainings would fail on or suffer from, and what they will take."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sftrecipe.api.prepared_run import output_folder
from sftrecipe.forecast.training_forecasts import checked_forecasts, probed_forecasts
from sftrecipe.plugin.trainer import Finding, TrainingForecast
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.requirements import check_trainings
from sftrecipe.store.project import project_of

Forecasts = dict[str, TrainingForecast]


@dataclass(frozen=True)
class TrainingCheck:
    """Findings and forecasts by train block."""

    findings: Sequence[tuple[str, Finding]]
    forecasts: Mapping[str, TrainingForecast]

    @property
    def faults(self) -> int:
        """How many findings the training would fail on."""
        return sum(finding.state == "fault" for _, finding in self.findings)


def checked_training(
    recipe: CheckedRecipe,
    out: Path | None,
    *,
    probe: Callable[[Coroutine[Any, Any, Forecasts]], Forecasts] | None,
    say: Callable[[str], None],
) -> TrainingCheck:
    """Check trainings and foresee them; with `probe`, an event loop, by a few real steps of those
    that would not fail, of which `say` hears. Raises SftrecipeError."""
    project = project_of(recipe.path)
    folder = output_folder(recipe, project, out)
    found = check_trainings(recipe, project, folder)
    check = TrainingCheck(found, checked_forecasts(recipe, project, folder))
    if probe is None or check.faults:
        return check
    probed = probe(probed_forecasts(recipe, project, folder, say))
    return TrainingCheck(found, {**check.forecasts, **probed})
