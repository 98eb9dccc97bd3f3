"""How often judges' intervals hold the truth, and what gates let through: before and after.

    nice .venv/bin/python benchmarks/judges/coverage.py > benchmarks/judges/coverage.md

`before`: the percentile bootstrap over rows that judges used until decision 033, gates by the
figure alone. `after`: what they use now. Shares and winning scores are summed over all outcomes
(exact); losses are simulated, 20,000 samples (before: 400).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from sftrecipe_registry.judges.confidence_interval import LOSS
from sftrecipe_registry.judges.mean_interval import (
    ANY,
    Span,
    effective_rows,
    mean_ends,
    ratio_pulls,
)
from sftrecipe_registry.judges.share_interval import share_difference_ends, share_ends

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]
ROWS = (5, 10, 20, 50, 100, 200)
SAMPLES, BEFORE, DRAWS = 20_000, 400, 500
ROUNDING = 1e-9


def main() -> None:
    """All tables."""
    print("# Intervals and gates of judges\n")
    print("Written by `benchmarks/judges/coverage.py`. Coverage in percent, before → after; 95 is")
    print("asked, 93 to 97 wanted. More stands where few rows leave no choice (the next narrower")
    print("interval would cover less than 93), or rows are nearly all alike.\n")
    table("Shares", shares())
    table("Paired differences of shares, and winning scores less 1 (wins, losses)", differences())
    table("Losses: lognormal, sigma; weighted: by lognormal token counts", losses())
    table("Paired differences of losses (correlation 0.25)", loss_differences())
    table("Scores from 1 to 5, and rows that are nearly all alike", scores())
    table("Measures from 0 to 1, such as BLEU, and paired differences of two", measures())
    print("## A model that changed nothing passes `winning_score: {at_least: 1}`, percent\n")
    print("Before: by the figure; after: by its interval.\n")
    table("", passes())
    table("A warning of position bias (surely above 0.3), percent, by the true share", alarms(0.3))
    table("A warning of invalid rows (surely above 0.1), percent, by the true share", alarms(0.1))


def table(title: str, lines: Iterator[tuple[str, list[str]]]) -> None:
    """A title, and a row a line with a cell for each number of rows."""
    if title:
        print(f"## {title}\n")
    print("| | " + " | ".join(f"n = {rows}" for rows in ROWS) + " |")
    print("|---|" + "---|" * len(ROWS))
    for name, cells in lines:
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print()


def told(before: float, after: float) -> str:
    """A cell."""
    return f"{100 * before:.1f} → {100 * after:.1f}"


def holds(ends: Ends, truth: float) -> NDArray[np.bool_]:
    """Where an interval holds the truth."""
    return (ends[0] <= truth + ROUNDING) & (truth - ROUNDING <= ends[1])


def chances(counts: Floats, shares: list[float]) -> Floats:
    """The chance of each outcome (a line of counts) of as many classes."""
    logs = gammaln(counts.sum(1) + 1) - gammaln(counts + 1).sum(1)
    found: Floats = np.exp(logs + sum(xlogy(counts[:, i], p) for i, p in enumerate(shares)))
    return found


def outcomes(rows: int, classes: int) -> Floats:
    """All ways to part rows into two or three classes."""
    if classes == 2:
        return np.array([(hits, rows - hits) for hits in range(rows + 1)], float)
    return np.array(
        [(one, two, rows - one - two) for one in range(rows + 1) for two in range(rows + 1 - one)],
        float,
    )


def percentile_ends(counts: Floats, values: Floats, likely: Floats) -> Ends:
    """The percentile bootstrap of each outcome that is not too rare to matter."""
    drawn, rows = np.random.default_rng(1), int(counts[0].sum())
    ends = np.zeros((2, len(counts)))
    for place in np.flatnonzero(likely > 1e-5):
        again = drawn.multinomial(rows, counts[place] / rows, DRAWS) @ values / rows
        ends[:, place] = np.quantile(again, (0.025, 0.975))
    return ends[0], ends[1]


def shares() -> Iterator[tuple[str, list[str]]]:
    for share in (0.5, 0.9, 0.97):
        cells = []
        for rows in ROWS:
            counts = outcomes(rows, 2)
            likely = chances(counts, [share, 1 - share])
            before = percentile_ends(counts, np.array([1.0, 0.0]), likely)
            after = share_ends(counts[:, 0], rows)
            cells.append(told(*(float(likely @ holds(each, share)) for each in (before, after))))
        yield f"p = {share}", cells


PAIRS = (
    (0.5, 0.5), (0.35, 0.35), (0.25, 0.25), (0.1, 0.1), (0.03, 0.03),
    (0.5, 0.3), (0.6, 0.2), (0.3, 0.1), (0.2, 0.05), (0.1, 0.02), (0.8, 0.1), (0.9, 0.05),
)  # fmt: skip


def differences() -> Iterator[tuple[str, list[str]]]:
    for wins, losses in PAIRS:
        cells = []
        for rows in ROWS:
            counts = outcomes(rows, 3)
            likely = chances(counts, [wins, losses, 1 - wins - losses])
            before = percentile_ends(counts, np.array([1.0, -1.0, 0.0]), likely)
            after = share_difference_ends(counts[:, 0], counts[:, 1], rows)
            truth = wins - losses
            cells.append(told(*(float(likely @ holds(each, truth)) for each in (before, after))))
        yield f"{wins}, {losses}", cells


def passes() -> Iterator[tuple[str, list[str]]]:
    for wins in (0.5, 0.35, 0.25, 0.1, 0.03):
        cells = []
        for rows in ROWS:
            counts = outcomes(rows, 3)
            likely = chances(counts, [wins, wins, 1 - 2 * wins])
            before = float(likely @ (counts[:, 0] >= counts[:, 1]))
            low, _ = share_difference_ends(counts[:, 0], counts[:, 1], rows)
            cells.append(told(before, float(likely @ (low >= 0))))
        yield f"ties {1 - 2 * wins:.0%}", cells


def alarms(limit: float) -> Iterator[tuple[str, list[str]]]:
    for share in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 1.0):
        cells = []
        for rows in ROWS:
            counts = outcomes(rows, 2)
            low, _ = share_ends(counts[:, 0], rows)
            found = float(chances(counts, [share, 1 - share]) @ (low > limit))
            cells.append(f"{100 * found:.1f}")
        yield f"{share:g}", cells


def of_means(values: Floats, span: Span) -> Ends:
    """After, of each sample's mean."""
    mean = values.mean(-1)
    rows = np.array(values.shape[-1])
    return mean_ends(mean, ratio_pulls(values, np.ones_like(values)), span, np.abs(mean), rows)


def bootstrapped(amounts: Floats, weights: Floats) -> Ends:
    """Before, of each sample's ratio."""
    drawn, rows = np.random.default_rng(2), amounts.shape[1]
    ends = np.empty((2, len(amounts)))
    for place, (amount, weight) in enumerate(zip(amounts, weights, strict=True)):
        again = drawn.integers(rows, size=(DRAWS, rows))
        ends[:, place] = np.quantile(amount[again].sum(1) / weight[again].sum(1), (0.025, 0.975))
    return ends[0], ends[1]


def simulated(draw: Callable[[tuple[int, int]], Floats], truth: float, span: Span) -> list[str]:
    """The cells of a mean."""
    cells = []
    for rows in ROWS:
        values = draw((SAMPLES, rows))
        before = holds(bootstrapped(values[:BEFORE], np.ones((BEFORE, rows))), truth).mean()
        cells.append(told(float(before), float(holds(of_means(values, span), truth).mean())))
    return cells


def _drawing(
    draw: Callable[..., Any], middle: float, spread: float
) -> Callable[[tuple[int, int]], Floats]:
    return lambda size: np.asarray(draw(middle, spread, size))


def losses() -> Iterator[tuple[str, list[str]]]:
    drawn = np.random.default_rng(3)
    for sigma in (0.5, 1.0):
        truth = math.exp(sigma**2 / 2)
        yield f"{sigma}", simulated(_drawing(drawn.lognormal, 0, sigma), truth, LOSS)
        cells = []
        for rows in ROWS:
            tokens = np.ceil(drawn.lognormal(4, 0.7, (SAMPLES, rows)))
            amounts = drawn.lognormal(0, sigma, (SAMPLES, rows)) * tokens
            before = holds(bootstrapped(amounts[:BEFORE], tokens[:BEFORE]), truth).mean()
            ratio = amounts.sum(-1) / tokens.sum(-1)
            pulls, effective = ratio_pulls(amounts, tokens), effective_rows(tokens)
            after = holds(mean_ends(ratio, pulls, LOSS, ratio, effective), truth)
            cells.append(told(float(before), float(after.mean())))
        yield f"{sigma}, weighted", cells
    yield "normal, 3 ± 1", simulated(_drawing(drawn.normal, 3, 1), 3, LOSS)


def loss_differences() -> Iterator[tuple[str, list[str]]]:
    drawn = np.random.default_rng(4)

    def pairs(sigma: float, gain: float) -> Callable[[tuple[int, int]], Floats]:
        def draw(size: tuple[int, int]) -> Floats:
            question = drawn.normal(0, sigma / 2, size)
            one, two = (
                np.exp(question + drawn.normal(0, sigma * 0.75**0.5, size)) for _ in range(2)
            )
            return np.asarray(gain * one - two)

        return draw

    for sigma in (0.5, 1.0):
        for gain in (1.0, 0.8):
            truth = (gain - 1) * math.exp(sigma**2 / 2)
            yield f"{sigma}, gain {gain:g}", simulated(pairs(sigma, gain), truth, ANY)


def scores() -> Iterator[tuple[str, list[str]]]:
    drawn = np.random.default_rng(5)
    scale = np.arange(1.0, 6.0)
    for shares in ((0.05, 0.1, 0.2, 0.4, 0.25), (0, 0, 0.05, 0.25, 0.7), (0, 0, 0, 0.05, 0.95)):
        chosen = np.array(shares)

        def draw(size: tuple[int, int], chosen: Floats = chosen) -> Floats:
            return np.asarray(drawn.choice(scale, size, p=chosen))

        yield f"{shares}", simulated(draw, float(scale @ chosen), Span(1.0, 5.0))


def measures() -> Iterator[tuple[str, list[str]]]:
    drawn = np.random.default_rng(6)

    def beta(one: float, two: float) -> Callable[[tuple[int, int]], Floats]:
        return lambda size: np.asarray(drawn.beta(one, two, size))

    def mixed(size: tuple[int, int]) -> Floats:
        return np.where(drawn.random(size) < 0.7, 1.0, drawn.beta(0.5, 2, size))

    for one, two in ((2, 2), (0.5, 2), (2, 0.5), (0.4, 0.4)):
        truth = one / (one + two)
        yield f"beta({one}, {two})", simulated(beta(one, two), truth, Span(0.0, 1.0))
    yield "7 of 10 are 1, else beta(0.5, 2)", simulated(mixed, 0.76, Span(0.0, 1.0))
    near, far = beta(4, 1), beta(0.5, 4)
    known = 0.5 / 4.5
    pairs = {"beta(4, 1)": (near, 0.8), "7 of 10 are 1": (mixed, 0.76), "the same": (far, known)}
    for name, (draw, mean) in pairs.items():

        def less(size: tuple[int, int], draw: Callable[..., Floats] = draw) -> Floats:
            return draw(size) - far(size)

        yield f"{name} less beta(0.5, 4)", simulated(less, mean - known, Span(-1.0, 1.0))


if __name__ == "__main__":
    main()
