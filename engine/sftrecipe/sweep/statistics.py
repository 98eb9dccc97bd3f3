"""Comparing variants by a figure: paired bootstrap over rows and trainings.

Every variant is judged on the same rows. What is drawn, 2,000 times, is a sample of as many rows
with replacement, the same for all variants, and of each variant's trainings; on every draw the
figures, their differences and the best variant are found anew. The intervals of the differences
hold all at once, whichever variant comes out best: of many equal ones, the luckiest is always far
ahead of the unluckiest.
Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap; paired over rows as Koehn 2004,
Statistical Significance Tests for Machine Translation Evaluation; simultaneous intervals by the
greatest studentized difference, Westfall and Young 1993, Resampling-Based Multiple Testing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
"""Of the intervals."""
FEWEST_ROWS = 2
"""One row alone tells nothing of others."""
_ROUNDING = 1e-12
"""A difference that varies by less, as a part of the figures, is the same on every row."""
_BLOCK = 1 << 20
"""Drawn rows that are held at the same time."""

Floats = NDArray[np.float64]
Goal = Literal["lower", "higher"]
Row = tuple[str, int]
"""A judged row: its id, and which of the rows with this id it is."""
Values = Mapping[Row, tuple[float, float]]
"""What each row adds to a figure: (value, weight). The figure is the weighted mean."""


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
    """How often it was the best of the draws."""
    behind: Interval
    """Its figure minus the best variant's; 0 for that itself. The intervals of all variants hold at
    once."""

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

    @property
    def is_decided(self) -> bool:
        """Whether the best variant is better than every other one beyond noise."""
        return all(each.differs for name, each in self.variants.items() if name != self.best)

    @property
    def has_differences(self) -> bool:
        """Whether any variant is worse than the best one beyond noise."""
        return any(each.differs for each in self.variants.values())


def compared(trainings: Mapping[str, Sequence[Values]], goal: Goal, seed: int) -> Comparison | None:
    """Compare variants, each with the values of its trainings; None where they share fewer
    than two rows.

    Equal seeds give equal results. Of few trainings a plain bootstrap tells too little noise: the
    drawn means are spread by √(n / (n - 1)), which makes their variance that of the mean (Davison
    and Hinkley 1997, Bootstrap Methods, section 2.3).
    """
    judged = [set(values) for each in trainings.values() for values in each]
    common = sorted(set.intersection(*judged))
    common = [row for row in common if _has_weight(row, trainings)]
    if len(common) < FEWEST_ROWS:
        return None
    random = np.random.default_rng(seed)
    tables = {name: _tables(each, common) for name, each in trainings.items()}
    figures = {
        name: float(np.mean([_ratio(table.sum(axis=0)) for table in each]))
        for name, each in tables.items()
    }
    drawn = _drawn_figures([table for each in tables.values() for table in each], random)
    ends = np.cumsum([len(each) for each in tables.values()])[:-1]
    draws = np.column_stack([_of_trainings(each, random) for each in np.split(drawn, ends)])
    better = min if goal == "lower" else max
    best = better(figures, key=lambda name: figures[name])
    return Comparison(
        variants=_compared_variants(figures, draws, best, goal),
        best=best,
        rows=len(common),
        lost=len(set.union(*judged)) - len(common),
        draws=draws,
    )


def interval(value: float, drawn: Floats, level: float = LEVEL) -> Interval:
    """A figure with the percentiles of what was drawn."""
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(value, float(low), float(high))


def _compared_variants(
    figures: Mapping[str, float], draws: Floats, best: str, goal: Goal
) -> dict[str, ComparedVariant]:
    at_best = draws.min(axis=1) if goal == "lower" else draws.max(axis=1)
    wins = draws == at_best[:, None]
    shares = (wins / wins.sum(axis=1, keepdims=True)).mean(axis=0)  # equal ones share the win
    behind = _behind(np.array(list(figures.values())), draws, list(figures).index(best))
    return {
        name: ComparedVariant(interval(value, draws[:, place]), float(shares[place]), behind[place])
        for place, (name, value) in enumerate(figures.items())
    }


def _behind(figures: Floats, draws: Floats, best: int) -> list[Interval]:
    """Each figure minus the best one, with intervals that hold all at once."""
    errors = (draws - draws[:, [best]]).std(axis=0)
    errors[errors <= _ROUNDING * np.abs(figures).max()] = 0.0
    reach = _reach(figures, draws) * errors
    gaps = figures - figures[best]
    return [
        Interval(float(gap), float(gap - each), float(gap + each))
        for gap, each in zip(gaps, reach, strict=True)
    ]


def _reach(figures: Floats, draws: Floats) -> float:
    """How many standard errors any difference of two figures is off at most, on 95 % of the
    draws."""
    greatest = np.zeros(len(draws))
    for at in range(len(figures) - 1):
        found = figures[at + 1 :] - figures[at]
        off = draws[:, at + 1 :] - draws[:, [at]] - found
        errors = off.std(axis=0)
        varies = errors > _ROUNDING * np.abs(figures).max()
        if varies.any():
            studentized = np.abs(off[:, varies]) / errors[varies]
            greatest = np.maximum(greatest, studentized.max(axis=1))
    return float(np.quantile(greatest, LEVEL))


def _has_weight(row: Row, trainings: Mapping[str, Sequence[Values]]) -> bool:
    return all(values[row][1] > 0 for each in trainings.values() for values in each)


def _tables(trainings: Sequence[Values], rows: Sequence[Row]) -> list[Floats]:
    """Of each training, a line a row: value times weight, weight."""
    return [
        np.array([(value * weight, weight) for value, weight in map(values.__getitem__, rows)])
        for values in trainings
    ]


def _ratio(sums: Floats) -> Floats:
    ratio: Floats = sums[..., 0] / sums[..., 1]
    return ratio


def _drawn_figures(tables: Sequence[Floats], random: np.random.Generator) -> Floats:
    """Every training's figure on every draw of the rows."""
    rows = len(tables[0])
    drawn = np.empty((len(tables), DRAWS))
    step = max(_BLOCK // rows, 1)
    for begin in range(0, DRAWS, step):
        places = random.integers(rows, size=(min(step, DRAWS - begin), rows))
        for at, table in enumerate(tables):
            drawn[at, begin : begin + step] = _ratio(table[places].sum(axis=1))
    return drawn


def _of_trainings(drawn: Floats, random: np.random.Generator) -> Floats:
    """A variant's figure on every draw: the mean of as many trainings as there are, drawn too."""
    mean: Floats = drawn.mean(axis=0)
    count = len(drawn)
    if count == 1:
        return mean
    chosen = random.integers(count, size=(count, DRAWS))
    again = np.take_along_axis(drawn, chosen, axis=0).mean(axis=0)
    spread: Floats = mean + (again - mean) * np.sqrt(count / (count - 1))
    return spread
