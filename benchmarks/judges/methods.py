"""Which interval of a mean covers lognormal losses: those that were weighed for decision 033.

nice .venv/bin/python benchmarks/judges/methods.py > benchmarks/judges/methods.md
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import bootstrap

from sftrecipe_registry.judges.confidence_interval import LOSS
from sftrecipe_registry.judges.mean_interval import ANY, Span, mean_ends, ratio_pulls

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]
SAMPLES, DRAWS = 500, 500
ROWS = (5, 10, 20, 50)
DRAWN = np.random.default_rng(1)


def scipys(values: Floats, method: str) -> Ends:
    """scipy's bootstrap: `percentile` or `BCa`."""
    found = bootstrap(
        (values,), np.mean, axis=-1, n_resamples=DRAWS, method=method, batch=50, rng=DRAWN
    )
    return found.confidence_interval.low, found.confidence_interval.high


def studentised(values: Floats) -> Ends:
    """The bootstrap-t."""
    rows = values.shape[1]
    ends = np.empty((2, len(values)))
    for place, row in enumerate(values):
        again = row[DRAWN.integers(rows, size=(DRAWS, rows))]
        spread = np.maximum(again.std(1, ddof=1), 1e-12)
        t = (again.mean(1) - row.mean()) / spread
        ends[:, place] = row.mean() - np.quantile(t, (0.975, 0.025)) * row.std(ddof=1)
    return ends[0], ends[1]


def student(values: Floats) -> Ends:
    """Student's t."""
    rows = values.shape[1]
    reach = stdtrit(rows - 1, 0.975) * values.std(1, ddof=1) / math.sqrt(rows)
    return values.mean(1) - reach, values.mean(1) + reach


def johnson(values: Floats) -> Ends:
    """Johnson's t (1978), shifted by the skewness."""
    rows, mean, spread = values.shape[1], values.mean(1), values.std(1, ddof=1)
    skewness = ((values - mean[:, None]) ** 3).mean(1) / values.std(1) ** 3
    quantile = stdtrit(rows - 1, 0.975)
    low, high = student(values)
    shift = skewness * spread / (6 * rows) * (1 + 2 * quantile**2)
    return low + shift, high + shift


def ours(values: Floats, span: Span) -> Ends:
    """What judges use."""
    mean = values.mean(1)
    rows = np.array(values.shape[-1])
    return mean_ends(mean, ratio_pulls(values, np.ones_like(values)), span, mean, rows)


METHODS: dict[str, Callable[[Floats], Ends]] = {
    "percentile bootstrap (before)": lambda values: scipys(values, "percentile"),
    "BCa": lambda values: scipys(values, "BCa"),
    "bootstrap-t": studentised,
    "Student's t": student,
    "Johnson's t": johnson,
    "t and Hall": lambda values: ours(values, ANY),
    "t, Hall and t of the logarithm (now)": lambda values: ours(values, LOSS),
}


def main() -> None:
    """Coverage in percent and median width."""
    warnings.simplefilter("ignore")
    print("# Intervals of a mean loss\n\nCoverage in percent of lognormal losses, and the median")
    print("width; 500 samples: a figure may be 2 off.\n")
    cases = [(sigma, rows) for sigma in (0.5, 1.0) for rows in ROWS]
    print("| | " + " | ".join(f"{sigma}, n = {rows}" for sigma, rows in cases) + " |")
    print("|---|" + "---|" * len(cases))
    samples = {case: DRAWN.lognormal(0, case[0], (SAMPLES, case[1])) for case in cases}
    for name, ends_of in METHODS.items():
        cells = []
        for case in cases:
            low, high = ends_of(samples[case])
            truth = math.exp(case[0] ** 2 / 2)
            covered = 100 * ((low <= truth) & (truth <= high)).mean()
            cells.append(f"{covered:.1f} ({np.median(high - low):.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
