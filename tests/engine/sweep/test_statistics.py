"""The paired bootstrap of a sweep, against what is known and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.sweep.statistics import Comparison, Goal, Values, compared

NUMBERS = st.floats(-100, 100).map(lambda value: round(value, 6))


def rows(values: list[float], weights: list[float] | None = None) -> Values:
    """One training's values, of as many rows."""
    weights = weights or [1.0] * len(values)
    return {(f"r{n}", 0): pair for n, pair in enumerate(zip(values, weights, strict=True))}


def comparison(
    trainings: dict[str, list[Values]], goal: Goal = "lower", seed: int = 0
) -> Comparison:
    found = compared(trainings, goal, seed)
    assert found is not None
    return found


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Values]]:
    count = draw(st.integers(2, 12))
    column = st.lists(NUMBERS, min_size=count, max_size=count)
    names = draw(st.lists(st.sampled_from("abcde"), min_size=1, unique=True))
    return {name: [rows(draw(column)) for _ in range(draw(st.integers(1, 3)))] for name in names}


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from(["lower", "higher"]), st.integers(0, 99))
def test_what_always_holds(trainings: dict[str, list[Values]], goal: Goal, seed: int) -> None:
    found = comparison(trainings, goal, seed)
    figures = {
        name: float(np.mean([np.mean([value for value, _ in each.values()]) for each in runs]))
        for name, runs in trainings.items()
    }
    for name, each in found.variants.items():
        assert each.figure.value == pytest.approx(figures[name], abs=1e-9)
        assert each.figure.low <= each.figure.high
        assert each.behind.low <= each.behind.value <= each.behind.high
        assert 0 <= each.best_probability <= 1
        assert (each.behind.value >= 0) if goal == "lower" else (each.behind.value <= 0)
    assert sum(each.best_probability for each in found.variants.values()) == pytest.approx(1)
    assert not found.variants[found.best].differs
    again = comparison(trainings, goal, seed)
    assert again.variants == found.variants
    mirrored = {
        name: [{row: (-v, w) for row, (v, w) in run.items()} for run in runs]
        for name, runs in trainings.items()
    }
    other = comparison(mirrored, "higher" if goal == "lower" else "lower", seed)
    assert other.best == found.best
    assert other.is_decided == found.is_decided


def test_the_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = comparison({"one": [rows(values.tolist())]}).variants["one"].figure
    error = values.std() / math.sqrt(400)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_a_weighted_figure_is_the_ratio_of_the_sums() -> None:
    found = comparison({"one": [rows([1.0, 4.0], [3.0, 1.0])]})
    assert found.variants["one"].figure.value == pytest.approx((3 + 4) / 4)


def test_rows_are_paired() -> None:
    hard = np.random.default_rng(2).normal(0, 50, 60)
    little = np.random.default_rng(3).normal(0.5, 0.2, 60)
    found = comparison({"one": [rows(hard.tolist())], "two": [rows((hard + little).tolist())]})
    assert found.best == "one"
    assert found.is_decided
    assert found.variants["one"].figure.high > found.variants["two"].figure.low  # unpaired: no
    gap = found.variants["two"].behind
    error = little.std() / math.sqrt(60)
    assert (gap.high - gap.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_equal_variants_are_no_difference() -> None:
    values = rows([1.0, 5.0, 2.0, 8.0])
    found = comparison({name: [values] for name in "abc"})
    assert not found.has_differences
    for each in found.variants.values():
        assert each.best_probability == pytest.approx(1 / 3)
        assert (each.behind.low, each.behind.high) == (0, 0)


def test_the_same_difference_on_every_row_is_certain() -> None:
    found = comparison({"a": [rows([0.1, 0.2, 0.3])], "b": [rows([0.2, 0.3, 0.4])]})
    assert found.is_decided
    assert found.variants["b"].behind.low == pytest.approx(0.1)


def test_of_many_equal_variants_one_is_seldom_said_to_be_better() -> None:
    random = np.random.default_rng(4)
    wrong = sum(
        comparison(
            {f"v{n}": [rows(random.normal(0, 1, 60).tolist())] for n in range(8)}, seed=seed
        ).has_differences
        for seed in range(100)
    )
    assert wrong <= 12  # 5 are to be expected; intervals each on its own would say about 70


def test_only_rows_of_all_trainings_count() -> None:
    one, two = rows([1.0, 2.0, 3.0, 9.0]), rows([2.0, 3.0, 4.0])
    found = comparison({"one": [one], "two": [two]})
    assert (found.rows, found.lost) == (3, 1)
    assert found.variants["one"].figure.value == pytest.approx(2)
    weightless = rows([2.0, 3.0, 4.0], [1.0, 1.0, 0.0])
    assert comparison({"one": [one], "two": [weightless]}).rows == 2


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_rows_in_common_are_not_compared(count: int) -> None:
    values = rows([1.0] * count)
    assert compared({"one": [values], "two": [rows([2.0, 3.0, 4.0])]}, "lower", 0) is None


def test_trainings_that_differ_widen_the_interval() -> None:
    values = [float(n % 7) for n in range(50)]
    near = [rows(values), rows(values)]
    far = [rows([value + 1 for value in values]), rows([value - 1 for value in values])]
    found = comparison({"near": near, "far": far}, seed=1)
    widths = {name: each.figure.high - each.figure.low for name, each in found.variants.items()}
    assert found.variants["far"].figure.value == pytest.approx(found.variants["near"].figure.value)
    assert widths["far"] > 2 * widths["near"]


def test_the_spread_of_few_trainings_is_not_told_too_small() -> None:
    """Rows without noise: the draws' variance is that of the mean of the trainings."""
    random = np.random.default_rng(6)
    found = []
    for seed in range(200):
        levels = random.normal(0, 1, 3)
        drawn = comparison({"one": [rows([level] * 5) for level in levels]}, seed=seed).draws
        found.append(drawn.var())
    assert np.mean(found) == pytest.approx(1 / 3, rel=0.15)
