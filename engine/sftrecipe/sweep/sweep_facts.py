"""What a sweep found, as `sweep.json` holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from sftrecipe.recipe.recipe import Variant
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.sweep.best_value import Optimum, Scale, optimum, scale_of
from sftrecipe.sweep.judged_rows import Values
from sftrecipe.sweep.more_trainings import MoreTrainings
from sftrecipe.sweep.statistics import ComparedVariant, Comparison, Goal, compared
from sftrecipe.sweep.sweep_run import SweepOutcome, SweepTraining

SWEEP_FILE = "sweep.json"

Verdict = Literal["best", "leading", "apart", "noise", "unpaired", "alone", "nothing"]
"""One variant is better than all others beyond noise; than some of them; than none, though some
differ from one another; no two differ; the judge gives no values row by row, or the variants share
fewer than two rows; only one variant has a figure; none has."""
NoiseTold = Literal["rows", "rows and trainings"]
"""What could have come out otherwise, as intervals and verdict take it: which rows are judged; how
each training went too, which is known where variants are trained more than once."""


@dataclass(frozen=True)
class TrainingFacts:
    """One training of a variant."""

    folder: str
    """In the output folder."""
    figure: float | None
    cached: bool
    problem: str | None


@dataclass(frozen=True)
class VariantFacts:
    """One variant, with its place in the comparison where it has one."""

    name: str
    values: Mapping[str, Any]
    trainings: Sequence[TrainingFacts]
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    best_probability: float | None = None
    behind: float | None = None
    """Its figure minus the best variant's; these intervals hold all at once."""
    behind_low: float | None = None
    behind_high: float | None = None


@dataclass(frozen=True)
class SweepFacts:
    """A sweep: its variants in the recipe's order, the best one, and what is suggested."""

    name: str
    recipe: str
    profile: str | None
    metric: str
    goal: Goal
    verdict: Verdict
    best: str | None
    variants: Sequence[VariantFacts]
    rows: int
    """Judged rows on which the variants are compared."""
    lost: int
    """Rows that only some of the trainings have a value of."""
    noise: NoiseTold | None = None
    """What the verdict holds against; None where nothing is compared row by row."""
    more_trainings: MoreTrainings | None = None
    scale: Scale | None = None
    optimum: Optimum | None = None

    @property
    def seeds(self) -> int:
        """Trainings of each variant."""
        return len(self.variants[0].trainings)

    @property
    def failed(self) -> bool:
        """Whether any training failed, or missed a gate."""
        return any(training.problem for each in self.variants for training in each.trainings)

    @property
    def told_apart(self) -> list[str]:
        """Variants that are worse than the best one beyond noise."""
        return [
            each.name
            for each in self.variants
            if each.behind_low is not None
            and each.behind_high is not None
            and (each.behind_low > 0 or each.behind_high < 0)
        ]


def sweep_facts(swept: SweepOutcome) -> SweepFacts:
    """Compare the variants all of whose trainings have a figure."""
    judged = {
        variant.name: swept.of(variant)
        for variant in swept.sweep.variants
        if all(training.figure is not None for training in swept.of(variant))
    }
    values = {
        name: [training.values for training in trainings] for name, trainings in judged.items()
    }
    goal = swept.sweep.goal
    comparison = compared(values, goal, swept.recipe.seed) if judged else None
    variants = [_variant(each, swept, comparison) for each in swept.sweep.variants]
    scale = _scale(swept.sweep.variants, comparison)
    return SweepFacts(
        name=swept.recipe.name,
        recipe=str(swept.recipe.path),
        profile=swept.recipe.profile,
        metric=f"{swept.sweep.judge}.{swept.sweep.figure}",
        goal=goal,
        verdict=_verdict(comparison, len(judged)),
        best=comparison.best if comparison else _best(variants, goal),
        variants=variants,
        rows=comparison.rows if comparison else 0,
        lost=comparison.lost if comparison else 0,
        noise=_noise(comparison, values),
        more_trainings=comparison.more_trainings if comparison else None,
        scale=scale,
        optimum=optimum(scale, comparison, goal) if scale and comparison else None,
    )


def write_sweep(facts: SweepFacts, out: OutputFolder) -> None:
    """Leave the facts in the sweep's output folder."""
    with out.create(SWEEP_FILE) as file:
        file.write(sweep_json(facts).encode())


def sweep_json(facts: SweepFacts) -> str:
    """The facts as JSON."""
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _variant(variant: Variant, swept: SweepOutcome, comparison: Comparison | None) -> VariantFacts:
    judged = swept.of(variant)
    trainings = [_training(training, swept.out) for training in judged]
    found = comparison.variants.get(variant.name) if comparison else None
    if comparison is not None and found is not None:
        low, high = _ends(found, judged, alike=comparison.lost == 0)
        return VariantFacts(
            variant.name,
            variant.values,
            trainings,
            found.figure.value,
            low,
            high,
            found.best_probability,
            found.behind.value,
            found.behind.low,
            found.behind.high,
        )
    figures = [training.figure for training in judged if training.figure is not None]
    figure = sum(figures) / len(figures) if len(figures) == len(trainings) else None
    bounds = (judged[0].bounds if len(judged) == 1 else None) or (None, None)
    return VariantFacts(variant.name, variant.values, trainings, figure, *bounds)


def _ends(
    found: ComparedVariant, judged: Sequence[SweepTraining], *, alike: bool
) -> tuple[float, float]:
    """The ends of a variant's own interval.

    The judge knows its figure: that a share stays below 1, that few losses lean to one side. Where
    it judged the same rows (`alike`), its interval holds for one training, and that of several is
    no narrower.
    """
    bounds = [training.bounds for training in judged if training.bounds is not None]
    if not alike or len(bounds) < len(judged):
        return found.figure.low, found.figure.high
    low, high = (sum(ends) / len(bounds) for ends in zip(*bounds, strict=True))
    if len(judged) == 1:
        return low, high
    return min(found.figure.low, low), max(found.figure.high, high)


def _training(training: SweepTraining, out: Path) -> TrainingFacts:
    problem = training.problem.message() if training.problem else None
    folder = str(training.out.relative_to(out))
    return TrainingFacts(folder, training.figure, training.cached, problem)


def _verdict(comparison: Comparison | None, judged: int) -> Verdict:
    if judged < 2:
        return "alone" if judged else "nothing"
    if comparison is None:
        return "unpaired"
    if comparison.is_decided:
        return "best"
    if comparison.tells_best:
        return "leading"
    return "apart" if comparison.has_differences else "noise"


def _noise(
    comparison: Comparison | None, values: Mapping[str, Sequence[Values]]
) -> NoiseTold | None:
    if comparison is None:
        return None
    return "rows and trainings" if any(len(each) > 1 for each in values.values()) else "rows"


def _best(variants: Sequence[VariantFacts], goal: Goal) -> str | None:
    figures = {each.name: each.figure for each in variants if each.figure is not None}
    better = min if goal == "lower" else max
    return better(figures, key=lambda name: figures[name]) if figures else None


def _scale(variants: Sequence[Variant], comparison: Comparison | None) -> Scale | None:
    """The number that varies between the variants that are compared."""
    if comparison is None:
        return None
    return scale_of({v.name: v.values for v in variants if v.name in comparison.variants})
