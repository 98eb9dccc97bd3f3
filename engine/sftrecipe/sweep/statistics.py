"""Comparing variants by a figure, on rows that all of them are judged on.

The best variant is chosen by the data: of many equal ones, the luckiest is always far ahead of the
unluckiest. So the intervals of the differences hold for all pairs at once.
Source: Tukey 1953, The Problem of Multiple Comparisons; Hsu 1996, Multiple Comparisons: Theory and
Methods, section 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sftrecipe.sweep.judged_rows import Floats, Values, judged_rows
from sftrecipe.sweep.more_trainings import MoreTrainings, more_trainings
from sftrecipe.sweep.noise import Noise, drawn_figures, noise_of

DRAWS = 2000
Goal = Literal["lower", "higher"]


@dataclass(frozen=True)
class Interval:
    """A figure, and the ends of its interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether it says which sign the figure has."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class ComparedVariant:
    """What a comparison tells of one variant."""

    figure: Interval
    best_probability: float
    """In how many of the draws it was the best."""
    behind: Interval
    """Its figure minus the best variant's; 0 for that itself. The intervals of all pairs of
    variants hold at once."""

    @property
    def differs(self) -> bool:
        """Whether it is worse than the best variant beyond noise."""
        return self.behind.excludes_zero


@dataclass(frozen=True)
class Comparison:
    """All variants, by name, and the draws on which their figures were found."""

    variants: Mapping[str, ComparedVariant]
    best: str
    rows: int
    """Rows that count: those with a value in every training of every variant."""
    lost: int
    """Rows that some trainings have a value of, and others not."""
    draws: Floats
    """Figures by draw and variant, in the order of `variants`."""
    has_differences: bool
    """Whether any two variants differ beyond noise, the best one among them or not."""
    more_trainings: MoreTrainings | None
    """How many trainings would tell more; None where no variant was trained again, or all is
    told."""

    @property
    def is_decided(self) -> bool:
        """Whether the best variant is better than every other one beyond noise."""
        return all(each.differs for name, each in self.variants.items() if name != self.best)

    @property
    def tells_best(self) -> bool:
        """Whether the best variant is better than any other one beyond noise."""
        return any(each.differs for each in self.variants.values())


def compared(trainings: Mapping[str, Sequence[Values]], goal: Goal, seed: int) -> Comparison | None:
    """Compare variants, each with the values of its trainings; None where they share fewer
    than two rows.

    Equal seeds give equal results.
    """
    judged = judged_rows(list(trainings.values()))
    if judged is None:
        return None
    noise = noise_of(judged)
    draws = drawn_figures(noise, DRAWS, np.random.default_rng(seed))
    at = int(noise.figures.argmin() if goal == "lower" else noise.figures.argmax())
    reach = noise.pair_reach()
    behind = _behind(noise, reach, at)
    return Comparison(
        variants=dict(zip(trainings, _variants(noise, draws, behind, goal), strict=True)),
        best=list(trainings)[at],
        rows=len(judged.parts),
        lost=judged.lost,
        draws=draws,
        has_differences=bool((np.abs(noise.gaps()) > reach).any()),
        more_trainings=more_trainings(noise, at, [each.excludes_zero for each in behind]),
    )


def interval(value: float, drawn: Floats, level: float) -> Interval:
    """A figure with the percentiles of what was drawn."""
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(value, float(low), float(high))


def _variants(
    noise: Noise, draws: Floats, behind: Sequence[Interval], goal: Goal
) -> list[ComparedVariant]:
    at_best = draws.min(axis=1) if goal == "lower" else draws.max(axis=1)
    wins = draws == at_best[:, None]
    shares = (wins / wins.sum(axis=1, keepdims=True)).mean(axis=0)  # equal ones share the win
    reach = noise.figure_reach()
    return [
        ComparedVariant(_about(figure, half), float(share), each)
        for figure, half, share, each in zip(noise.figures, reach, shares, behind, strict=True)
    ]


def _behind(noise: Noise, reach: Floats, best: int) -> list[Interval]:
    """Each figure minus the best one, with intervals that hold all at once."""
    count = len(noise.figures)
    one, two = np.triu_indices(count, 1)
    halves, gaps = np.zeros((count, count)), np.zeros((count, count))
    halves[one, two] = halves[two, one] = reach
    gaps[one, two] = noise.gaps()
    gaps[two, one] = -noise.gaps()
    return [_about(gap, half) for gap, half in zip(gaps[:, best], halves[best], strict=True)]


def _about(value: float, half: float) -> Interval:
    return Interval(float(value), float(value - half), float(value + half))
