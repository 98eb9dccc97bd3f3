"""How often a sweep says that equal variants differ, how often it finds a difference that is there,
and how often its intervals hold the truth.

    git show 4d31248:engine/sftrecipe/sweep/statistics.py > /tmp/before.py
    python -m benchmarks.sweeps.simulate --before /tmp/before.py > benchmarks/sweeps/results.md

Some 10 minutes of one core; `--times 50` for a look.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.sweeps.simulated import NOISES, Noise, Trainings, drawn_sweep, lognormal, normal

Compared = Callable[[Trainings, Any, int], Any]
VARIANTS, ROWS = (2, 10, 30), (10, 30, 100)
SEEDED_VARIANTS, SEEDS, SEEDED_ROWS = (2, 3, 10), (1, 2, 3, 5), 20
_BY_ROWS = [f"{k} × {n}" for k, n in product(VARIANTS, ROWS)]
_BY_SEEDS = [f"{k} × {m}" for k, m in product(SEEDED_VARIANTS, SEEDS)]


def over_rows(
    compared: Compared, times: int, noise: Noise, effects: Callable[[int], list[float]]
) -> list[float]:
    """Each variant trained once: by variants and rows, how often any two are said to differ."""
    cells = []
    for variants, rows in product(VARIANTS, ROWS):
        told = 0
        for seed in range(times):
            random = np.random.default_rng((rows, variants, seed))
            trainings = drawn_sweep(random, noise, effects(variants), rows)
            told += compared(trainings, "lower", seed).has_differences
        cells.append(100 * told / times)
    return cells


def over_seeds(
    compared: Compared, times: int, size: float | tuple[float], own: float, gap: float = 0.0
) -> list[float]:
    """20 rows: by variants and trainings of each, how often any two are said to differ.

    `size`: the noise of a training in units of the figure's over rows, of the first variant alone
    where it is a tuple; `gap`: that the first variant is better, in noises of a training.
    """
    unit = 1 / np.sqrt(SEEDED_ROWS)
    cells = []
    for variants, seeds in product(SEEDED_VARIANTS, SEEDS):
        sizes = [*size, *[0.0] * (variants - 1)] if isinstance(size, tuple) else [size] * variants
        noises = [each * unit for each in sizes]
        told = 0
        for seed in range(times):
            random = np.random.default_rng((variants, seeds, seed))
            effects = ahead(gap * noises[0], variants)
            trainings = drawn_sweep(random, normal, effects, SEEDED_ROWS, seeds, noises, own)
            told += compared(trainings, "lower", seed).has_differences
        cells.append(100 * told / times)
    return cells


def ahead(gap: float, variants: int) -> list[float]:
    """The first variant is better than all others."""
    return [-gap, *[0.0] * (variants - 1)]


def equal(variants: int) -> list[float]:
    return [0.0] * variants


def false_differs(compared: Compared, times: int) -> Iterator[tuple[str, list[float]]]:
    for name, noise in NOISES.items():
        yield name, over_rows(compared, times, noise, equal)


def false_with_seeds(compared: Compared, times: int) -> Iterator[tuple[str, list[float]]]:
    yield "none", over_seeds(compared, times, 0.0, 0.0)
    yield "it moves rows, not the whole", over_seeds(compared, times, 0.0, 1.0)
    for size in (0.5, 1.0, 3.0, 10.0):
        yield f"{size:g} of that of rows", over_seeds(compared, times, size, 0.0)
    yield "3 of that of rows, of one variant", over_seeds(compared, times, (3.0,), 0.0)


def power(compared: Compared, times: int) -> Iterator[tuple[str, list[float]]]:
    for gap in (0.5, 1.0, 2.0):
        yield f"{gap:g} sd", over_rows(compared, times, normal, partial(ahead, gap))


def power_with_seeds(compared: Compared, times: int) -> Iterator[tuple[str, list[float]]]:
    for size in (0.5, 1.0, 3.0):
        yield f"{size:g} of that of rows", over_seeds(compared, times, size, 0.0, 3.0)


def coverage(compared: Compared, times: int) -> Iterator[tuple[str, list[float]]]:
    """How often a variant's own 95 % interval holds its true figure."""
    truths = {"normal": (normal, 0.0), "lognormal losses": (lognormal, float(np.exp(0.625)))}
    for name, (noise, truth) in truths.items():
        for seeds, size in ((1, 0.0), (3, 1.0)):
            cells = []
            for n in (5, *ROWS):
                held = 0
                for seed in range(times):
                    random = np.random.default_rng((7, seed))
                    trainings = drawn_sweep(random, noise, [0.0, 0.0], n, seeds, size)
                    figure = compared(trainings, "lower", seed).variants["v0"].figure
                    held += figure.low <= truth <= figure.high
                cells.append(100 * held / times)
            yield f"{name}, {seeds} training(s), their noise {size:g}", cells


TABLES: tuple[tuple[str, Any, list[str]], ...] = (
    (
        "Equal variants, trained once: two are said to differ, % (variants × rows)",
        false_differs,
        _BY_ROWS,
    ),
    (
        "Equal variants, 20 rows, by the noise of trainings: two are said to differ, % "
        "(variants × trainings of each)",
        false_with_seeds,
        _BY_SEEDS,
    ),
    (
        "One variant better than all others, by noise of a row: told, % (variants × rows)",
        power,
        _BY_ROWS,
    ),
    (
        "One variant 3 sd of a training better, 20 rows: told, % (variants × trainings of each)",
        power_with_seeds,
        _BY_SEEDS,
    ),
    (
        "A figure's own 95 % interval holds the truth, %",
        coverage,
        [f"{n} rows" for n in (5, *ROWS)],
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="statistics.py as it was")
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--only", type=int, help="one table, from 1")
    options = parser.parse_args()
    from sftrecipe.sweep.statistics import compared  # noqa: PLC0415

    ways = {"now": compared}
    if options.before:
        ways = {"before": _loaded(options.before), **ways}
    print(f"Each cell: {options.times} simulated sweeps (before: a fifth).")
    for title, table, head in TABLES[slice(options.only and options.only - 1, options.only)]:
        print(f"\n## {title}\n\n| | | {' | '.join(head)} |\n|---|---|{'---:|' * len(head)}")
        found = {
            way: table(how, options.times if way == "now" else max(options.times // 5, 20))
            for way, how in ways.items()
        }
        for lines in zip(*found.values(), strict=True):
            for way, (name, cells) in zip(ways, lines, strict=True):
                shown = " | ".join(f"{cell:.1f}" for cell in cells)
                print(f"| {name} | {way} | {shown} |", flush=True)


def _loaded(path: Path) -> Compared:
    spec = importlib.util.spec_from_file_location("statistics_before", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["statistics_before"] = module
    spec.loader.exec_module(module)
    found: Compared = module.compared
    return found


if __name__ == "__main__":
    main()
