"""How often a sweep says that any two of equal variants differ: many draws at once.

    nice .venv/bin/python -m benchmarks.sweeps.rates

The statistic of `sftrecipe.sweep` for rows of equal weight, and for trainings whose noise is all
there is (which rows add only makes it safer). `simulate` goes through the sweep's own code, row by
row, with fewer draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sftrecipe.sweep.critical_values import (
    pair_values,
    row_critical_value,
    shared_variances,
    training_critical_value,
    training_variances,
)
from sftrecipe.sweep.judged_rows import Floats

Draw = Callable[[np.random.Generator, int, int, int], Floats]
"""Of a generator, sweeps, variants and rows: values of equal variants."""
SWEEPS, ROWS, VARIANTS = 20_000, (10, 20, 30, 100), (2, 3, 10, 30)
FEWER = 4_000
TRAININGS, TRAINED = (2, 3, 5), (2, 3, 10)
_BLOCK = 1 << 20


def normal(random: np.random.Generator, sweeps: int, variants: int, rows: int) -> Floats:
    return np.asarray(random.standard_normal((sweeps, variants, rows)))


def lognormal(random: np.random.Generator, sweeps: int, variants: int, rows: int) -> Floats:
    """Losses: rows that are harder also vary more."""
    hard = random.standard_normal((sweeps, 1, rows))
    values: Floats = np.exp(hard + 0.5 * random.standard_normal((sweeps, variants, rows)))
    return values


def shares(mean: float, spread: float) -> Draw:
    """Right or wrong, with rows that all get right and rows that all get wrong."""

    def draw(random: np.random.Generator, sweeps: int, variants: int, rows: int) -> Floats:
        chance = 1 / (1 + np.exp(-mean - spread * random.standard_normal((sweeps, 1, rows))))
        return np.asarray(random.random((sweeps, variants, rows)) < chance, np.float64)

    return draw


NOISES: dict[str, Draw] = {
    "normal": normal,
    "lognormal losses": lognormal,
    "shares, half right": shares(0, 2),
    "shares, 9 of 10 right": shares(3, 1.5),
}

SIZES: dict[str, Callable[[int], list[float]]] = {
    "equal": lambda count: [1.0] * count,
    "the first 3 times the others'": lambda count: [3.0, *[1.0] * (count - 1)],
    "the first 10 times": lambda count: [10.0, *[1.0] * (count - 1)],
    "from 1 to 4 times": lambda count: [4 ** (at / (count - 1)) for at in range(count)],
}


def of_rows(draw: Draw, variants: int, rows: int, sweeps: int) -> float:
    """Each variant trained once; percent."""
    critical, told = row_critical_value(np.ones(rows), variants), 0
    random, step = np.random.default_rng(1), max(_BLOCK // (rows * variants), 1)
    for begin in range(0, sweeps, step):
        values = draw(random, min(step, sweeps - begin), variants, rows)
        figures = values.mean(axis=-1)
        pulls = (values - figures[..., None]) / np.sqrt(rows * (rows - 1))
        told += _told(figures, pulls @ pulls.swapaxes(1, 2), critical)
    return 100 * told / sweeps


def of_trainings(sizes: Sequence[float], trainings: int, sweeps: int) -> float:
    """The noise of each variant's trainings; percent."""
    counts = (trainings,) * len(sizes)
    noise = np.random.default_rng(2).standard_normal((sweeps, len(sizes), trainings))
    values = noise * np.array(sizes)[:, None]
    figures = values.mean(axis=-1)
    squares = np.square(values - figures[..., None]).sum(axis=-1)
    variances = training_variances(squares, counts)
    covariances = variances[:, :, None] * np.eye(len(sizes))
    return 100 * _told(figures, covariances, training_critical_value(counts)) / sweeps


def _told(figures: Floats, covariances: Floats, critical: float) -> int:
    variants = figures.shape[-1]
    one, two = np.triu_indices(variants, 1)
    pairs = np.maximum(pair_values(covariances), 0)
    reach = critical * np.sqrt(shared_variances(pairs, variants))
    # Where no pair varies, a sweep goes by the difference's own size: seven rows and more.
    gaps = np.abs(figures[:, one] - figures[:, two])
    return int((gaps > reach + 1e-12).any(axis=1).sum())


def main() -> None:
    """Both tables."""
    print(
        f"### Noise of rows, % (variants x rows); {SWEEPS} sweeps a cell, {FEWER} of 30 variants\n"
    )
    heads = [f"{count} x {rows}" for count in VARIANTS for rows in ROWS]
    print("| | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(heads))
    for name, draw in NOISES.items():
        cells = [
            of_rows(draw, count, rows, SWEEPS if count < VARIANTS[-1] else FEWER)
            for count in VARIANTS
            for rows in ROWS
        ]
        print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)
    print(f"\n### Noise of trainings, % (variants x trainings of each); {SWEEPS} sweeps a cell\n")
    heads = [f"{count} x {each}" for count in TRAINED for each in TRAININGS]
    print("| | " + " | ".join(heads) + " |\n|---|" + "---:|" * len(heads))
    for name, sizes in SIZES.items():
        cells = [
            of_trainings(sizes(count), each, SWEEPS) for count in TRAINED for each in TRAININGS
        ]
        print(f"| {name} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
