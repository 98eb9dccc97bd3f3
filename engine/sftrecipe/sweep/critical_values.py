"""How many standard errors the widest of all differences is off at most, 19 times of 20.

Found by drawing variants that are equal, with the same variances as the comparison takes: so they
hold for exactly that statistic, whatever the number of variants, rows and trainings. For normal
noise of one size with equal variances they would be Tukey's studentized range; with each pair's own
variance there is no table. The draws are the same every time.
Source: Tukey 1953, The Problem of Multiple Comparisons; the variance that a pair shares with all
others as in Smyth 2004, Linear Models and Empirical Bayes Methods, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from sftrecipe.sweep.judged_rows import Floats

LEVEL = 0.95
"""Of all intervals."""
_NUMBERS = 8_000_000
"""That are drawn at most for one critical value."""
_DRAWS = (1_000, 10_000)
"""Fewest and most."""
_BLOCK = 1 << 20
"""Drawn numbers that are held at the same time."""
_SHARED = 1 / 3
"""More would find more differences, and too many where few variants are far noisier than others."""
_ROWS = 200
"""More rows are as so many: what the variances are off by then matters no longer."""


def shared_variances(pairs: Floats, variants: int) -> Floats:
    """Each pair's variance, drawn a third of the way up to what is usual of all pairs.

    Of few rows, a pair's own variance is now and then far too small, and its difference then looks
    certain; one that is larger than the others' counts in full. `pairs`: (…, pairs), in the order
    of `numpy.triu_indices`.
    """
    usual = 2 * usual_variance(_own_variances(pairs, variants))
    shared: Floats = np.maximum(pairs, pairs + (usual - pairs) * _SHARED)
    return shared


def usual_variance(variances: Floats) -> Floats:
    """The mean, of which a few that are far larger, as of a training that went astray, move no
    more than its double. `variances`: (…, variants); gives (…, 1)."""
    middle = np.median(variances, axis=-1, keepdims=True)
    usual: Floats = np.minimum(variances.mean(axis=-1, keepdims=True), 2 * middle)
    return usual


def _own_variances(pairs: Floats, variants: int) -> Floats:
    """What each variant adds to the variances of its pairs (Grubbs 1948)."""
    if variants == 2:
        return pairs / 2
    one, two = np.triu_indices(variants, 1)
    within = np.zeros((len(one), variants))
    within[np.arange(len(one)), one] = within[np.arange(len(one)), two] = 1
    whole = pairs.sum(axis=-1, keepdims=True) / (variants - 1)
    own: Floats = np.maximum((pairs @ within - whole) / (variants - 2), 0)
    return own


def row_critical_value(parts: Floats, variants: int) -> float:
    """For noise of rows whose weights are like these."""
    parts = parts / parts.sum()
    if len(parts) > _ROWS:
        like = int(1 / np.square(parts).sum())  # equal rows that tell as much: Kish 1965
        parts = np.full(min(max(like, 2), _ROWS), 1.0)
        parts /= parts.sum()
    return _row_critical_value(parts.tobytes(), variants)


@lru_cache(maxsize=256)
def _row_critical_value(packed: bytes, variants: int) -> float:
    parts = np.frombuffer(packed, dtype=np.float64)
    rows = len(parts)
    scale = parts / np.maximum(1 - parts, np.finfo(np.float64).eps) * np.sqrt((rows - 1) / rows)

    def drawn(random: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        noise = random.standard_normal((count, variants, rows))
        figures = noise @ parts
        pulls = scale * (noise - figures[..., None])
        return figures, pulls @ pulls.swapaxes(1, 2)

    return _critical_value(drawn, variants, rows * variants)


@lru_cache(maxsize=256)
def training_critical_value(counts: tuple[int, ...]) -> float:
    """For noise of trainings, of which each variant has so many; at least one has two."""
    owners = np.repeat(np.arange(len(counts)), counts)
    means = (owners == np.arange(len(counts))[:, None]) / np.array(counts)[:, None]

    def drawn(random: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        noise = random.standard_normal((count, len(owners)))
        figures = noise @ means.T
        squares = np.square(noise - figures[:, owners]) @ (means > 0).T
        variances = training_variances(squares, counts)
        return figures, variances[:, :, None] * np.eye(len(counts))

    return _critical_value(drawn, len(counts), len(owners) * len(counts))


def training_variances(squares: Floats, counts: tuple[int, ...]) -> Floats:
    """Of the mean of each variant's trainings, from the sums of squares about it.

    A variant that was trained once has that of all others. `squares`: (…, variants).
    """
    sizes = np.array(counts, dtype=np.float64)
    whole = squares.sum(axis=-1, keepdims=True) / (sizes - 1).sum()
    own = np.where(sizes > 1, squares / np.maximum(sizes - 1, 1), whole)
    variances: Floats = own / sizes
    return variances


def pair_values(table: Floats) -> Floats:
    """Of variants' covariances (…, variants, variants), the variance of each pair's difference, in
    the order of `numpy.triu_indices`."""
    one, two = np.triu_indices(table.shape[-1], 1)
    pairs: Floats = table[..., one, one] + table[..., two, two] - 2 * table[..., one, two]
    return pairs


Drawn = Callable[[np.random.Generator, int], tuple[Floats, Floats]]
"""Draws so many comparisons: figures (draws, variants) and their estimated covariances."""


def _critical_value(drawn: Drawn, variants: int, numbers: int) -> float:
    fewest, most = _DRAWS
    draws = min(max(_NUMBERS // numbers, fewest), most)
    step = max(_BLOCK // max(numbers, variants**2), 1)
    greatest = np.concatenate(list(_greatest(drawn, variants, draws, step)))
    return float(np.quantile(greatest, LEVEL))


def _greatest(drawn: Drawn, variants: int, draws: int, step: int) -> Iterator[Floats]:
    random = np.random.default_rng(0)
    one, two = np.triu_indices(variants, 1)
    for begin in range(0, draws, step):
        figures, covariances = drawn(random, min(step, draws - begin))
        errors = np.sqrt(shared_variances(pair_values(covariances), variants))
        off = np.abs(figures[:, one] - figures[:, two])
        yield (off / errors).max(axis=1)
