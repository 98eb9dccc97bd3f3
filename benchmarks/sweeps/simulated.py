"""Sweeps whose truth is known: how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Trainings = dict[str, list[dict[tuple[str, int], tuple[float, float]]]]
Noise = Callable[[np.random.Generator, int, int], tuple[Floats, Floats]]
"""Of a generator, variants and rows: values and weights, each (variants, rows), of equal
variants; one unit of the values is about their own noise on a row."""


def normal(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    hard = 3 * random.standard_normal(rows)
    return hard + random.standard_normal((variants, rows)), np.ones((variants, rows))


def lognormal(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Losses: rows that are harder also vary more."""
    hard = random.standard_normal(rows)
    values = np.exp(hard + 0.5 * random.standard_normal((variants, rows)))
    return values, np.ones((variants, rows))


def half_shares(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Right or wrong, half of them, with rows that all get right and rows that all get wrong."""
    return _shares(random, variants, rows, 0.0, 2.0)


def high_shares(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Right or wrong, nine of ten right."""
    return _shares(random, variants, rows, 3.0, 1.5)


def tokens(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Losses a token, by rows of very different lengths: a longer one varies less."""
    lengths = np.ceil(np.exp(3.5 + 0.8 * _exam(random, rows)))
    own = 0.5 * random.standard_normal((variants, rows)) * (0.3 + 3 / np.sqrt(lengths))
    values = np.exp(0.5 * random.standard_normal(rows) + own)
    return values, np.broadcast_to(lengths, values.shape)


def weighted(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Weights that say nothing of the noise."""
    values, _ = normal(random, variants, rows)
    return values, np.broadcast_to(np.exp(_exam(random, rows)), values.shape)


def one_wild(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """One variant is three times as noisy as the others."""
    size = np.where(np.arange(variants) == 0, 3.0, 1.0)[:, None]
    values = 3 * random.standard_normal(rows) + size * random.standard_normal((variants, rows))
    return values, np.ones((variants, rows))


def graded(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """The last variant is four times as noisy as the first."""
    size = np.geomspace(0.5, 2, variants)[:, None]
    return size * random.standard_normal((variants, rows)), np.ones((variants, rows))


def ties(random: np.random.Generator, variants: int, rows: int) -> tuple[Floats, Floats]:
    """Every variant has the same value on every row."""
    values = np.broadcast_to(random.standard_normal(rows), (variants, rows))
    return values, np.ones((variants, rows))


NOISES: dict[str, Noise] = {
    "normal": normal,
    "lognormal losses": lognormal,
    "shares, half right": half_shares,
    "shares, 9 of 10 right": high_shares,
    "loss a token": tokens,
    "weights, lognormal": weighted,
    "one variant 3 x as noisy": one_wild,
    "noise from 1 to 4 x": graded,
    "all the same": ties,
}


def drawn_sweep(
    random: np.random.Generator,
    noise: Noise,
    effects: Sequence[float],
    rows: int,
    seeds: int = 1,
    training_noise: Sequence[float] | float = 0.0,
    own: float = 0.0,
) -> Trainings:
    """A sweep whose variants differ by `effects`.

    `training_noise`: the standard deviation that a training moves its whole figure by, for all or
    for each variant; `own`: what it moves single rows by.
    """
    count = len(effects)
    values, weights = noise(random, count, rows)
    sizes = np.broadcast_to(training_noise, count)
    trainings: Trainings = {}
    for at in range(count):
        runs = []
        for _ in range(seeds):
            moved = sizes[at] * random.standard_normal() + own * random.standard_normal(rows)
            pairs = zip(
                (values[at] + effects[at] + moved).tolist(), weights[at].tolist(), strict=True
            )
            runs.append({(f"r{row}", 0): pair for row, pair in enumerate(pairs)})
        trainings[f"v{at}"] = runs
    return trainings


def _exam(random: np.random.Generator, rows: int) -> Floats:
    """One of eight exams: as many sweeps are judged on the same rows."""
    exam = int(random.integers(8))
    return np.random.default_rng((exam, rows)).standard_normal(rows)


def _shares(
    random: np.random.Generator, variants: int, rows: int, mean: float, spread: float
) -> tuple[Floats, Floats]:
    chance = 1 / (1 + np.exp(-mean - spread * random.standard_normal(rows)))
    return (random.random((variants, rows)) < chance) * 1.0, np.ones((variants, rows))
