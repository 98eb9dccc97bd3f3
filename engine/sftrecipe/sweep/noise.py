"""What rows and trainings leave open of figures and of their differences.

Two things could have come out otherwise: which rows are judged, and how each training went. What
another training changes is told by trainings of the same variant alone: these are then the unit,
with as many degrees of freedom as there are trainings beyond the first. What rows add to that comes
on top, each part with its own critical value, in squares.
Source: two-stage intervals as Burdick and Graybill 1992, Confidence Intervals on Variance
Components; Cochran and Cox 1957, Experimental Designs, section 4.14.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sftrecipe.sweep.critical_values import (
    LEVEL,
    pair_values,
    row_critical_value,
    shared_variances,
    training_critical_value,
    training_variances,
    usual_variance,
)
from sftrecipe.sweep.judged_rows import Floats, SharedRows

_ROUNDING = 1e-12
"""What varies by less, as a part of the figures, is the same."""
_OFTEN = 0.84
"""Standard errors beyond the interval's half at which a difference is found 4 times of 5."""


@dataclass(frozen=True)
class Noise:
    """The variances of variants' figures, in the order of the judged rows."""

    judged: SharedRows
    figures: Floats
    """Each the mean of its trainings."""
    rows: Floats
    """Covariances of the figures over rows, all trainings as they are."""
    single: Floats
    """What of the rows' variances each training has of its own."""
    trainings: Floats | None
    """Variances of the figures over trainings; None where each variant was trained once."""

    @property
    def is_trained_again(self) -> bool:
        """Whether what another training changes is known."""
        return self.trainings is not None

    def training_variances(self) -> Floats:
        """Of each figure over trainings: its own, or what is usual where that is more."""
        assert self.trainings is not None  # noqa: S101 - the callers ask before
        return np.maximum(self.trainings, usual_variance(self.trainings))

    def figure_reach(self) -> Floats:
        """Half the width of each figure's own interval."""
        from scipy.special import stdtrit  # noqa: PLC0415 - 60 ms, which `validate` need not wait

        tail = (1 + LEVEL) / 2
        critical = float(stdtrit(row_freedom(self.judged.parts), tail))
        rows = np.maximum(np.diag(self.rows) - self._of_both(), 0)
        squares: Floats = critical**2 * rows
        if self.trainings is not None:
            freedom = sum(self.judged.counts) - len(self.judged.counts)
            critical = float(stdtrit(freedom, tail))
            squares = squares + critical**2 * self.training_variances()
        return self._rounded(np.sqrt(squares))

    def gaps(self) -> Floats:
        """The differences of all pairs' figures, without what is rounding."""
        one, two = np.triu_indices(len(self.figures), 1)
        gaps = self.figures[one] - self.figures[two]
        return np.where(self._rounded(np.abs(gaps)) > 0, gaps, 0.0)

    def pair_reach(self) -> Floats:
        """Half the widths of the differences' intervals, which hold all at once, by pair.

        A difference that is the same on every row, of all pairs, has no variance to go by: it is
        taken as if it varied by its own size, and is believed of seven rows and more.
        """
        if len(self.figures) < 2:
            return np.zeros(0)
        return np.sqrt(self._pair_squares(self.judged.counts, self._pair_trainings(1.0)))

    def reach_with(self, trainings: int) -> Floats:
        """The differences that so many trainings of each variant, as noisy as these, would find
        4 times of 5, by pair. Only where each was trained again."""
        counts = (trainings,) * len(self.figures)
        fewer = np.array(self.judged.counts) / trainings
        variances = self._pair_trainings(fewer)
        found = np.sqrt(self._pair_squares(counts, variances))
        rows = shared_variances(pair_values(self.rows), len(self.figures))
        reach: Floats = found + _OFTEN * np.sqrt(rows + variances)
        return reach

    def _pair_squares(self, counts: tuple[int, ...], trainings: Floats) -> Floats:
        count = len(self.figures)
        own = self._of_both()
        rows = pair_values(self.rows - np.diag(own))
        squares = row_critical_value(self.judged.parts, count) ** 2 * shared_variances(
            np.maximum(rows, 0), count
        )
        if self.trainings is not None:
            squares = squares + training_critical_value(counts) ** 2 * trainings
        return self._with_constant(squares)

    def _of_both(self) -> Floats:
        """What the rows' variances and those of the trainings both hold."""
        return np.zeros(len(self.figures)) if self.trainings is None else self.single

    def _pair_trainings(self, part: Floats | float) -> Floats:
        if self.trainings is None:
            return np.zeros(len(self.figures) * (len(self.figures) - 1) // 2)
        variances = pair_values(np.diag(self.trainings * part))
        return shared_variances(variances, len(self.figures))

    def _with_constant(self, squares: Floats) -> Floats:
        if self._rounded(np.sqrt(squares)).any():
            return squares
        critical = row_critical_value(self.judged.parts, len(self.figures))
        constant: Floats = np.square(critical * self.gaps()) / len(self.judged.parts)
        return constant

    def _rounded(self, values: Floats) -> Floats:
        return np.where(values <= _ROUNDING * np.abs(self.figures).max(), 0.0, values)


def noise_of(judged: SharedRows) -> Noise:
    """The noise that rows and trainings show."""
    pulls = np.stack([each.mean(axis=0) for each in judged.pulls])
    counts = np.array(judged.counts)
    figures = np.array([each.mean() for each in judged.figures])
    own = [np.square(each - each.mean(axis=0)).sum() for each in judged.pulls]
    single = np.array(own) / np.maximum(counts - 1, 1) / counts
    trainings = None
    if (counts > 1).any():
        squares = np.array([np.square(each - each.mean()).sum() for each in judged.figures])
        trainings = training_variances(squares, judged.counts)
    return Noise(judged, figures, pulls @ pulls.T, single, trainings)


def row_freedom(parts: Floats) -> float:
    """Degrees of freedom of rows with these parts of the weight (Satterthwaite 1946)."""
    squares = np.square(parts)
    return max(float(squares.sum() ** 2 / np.square(squares).sum()) - 1, 1.0)


def drawn_figures(noise: Noise, draws: int, random: np.random.Generator) -> Floats:
    """Figures as they may be in truth, by draw and variant: by as many degrees of freedom as rows
    and trainings have, spread as their means are."""
    pulls = np.stack([each.mean(axis=0) for each in noise.judged.pulls])
    drawn = noise.figures + _spread(random, draws, row_freedom(noise.judged.parts)) * (
        random.standard_normal((draws, pulls.shape[1])) @ pulls.T
    )
    if noise.trainings is not None:
        freedom = sum(noise.judged.counts) - len(noise.judged.counts)
        errors = np.sqrt(noise.training_variances())
        own = random.standard_normal((draws, len(noise.figures))) * errors
        drawn = drawn + _spread(random, draws, freedom) * own
    figures: Floats = drawn
    return figures


def _spread(random: np.random.Generator, draws: int, freedom: float) -> Floats:
    """What makes normal noise that of Student's t."""
    spread: Floats = np.sqrt(freedom / random.chisquare(freedom, draws))[:, None]
    return spread
