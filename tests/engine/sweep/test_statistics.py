"""The comparison of a sweep, against what is known and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from benchmarks.sweeps.simulated import NOISES, drawn_sweep
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.sweep.critical_values import row_critical_value, training_critical_value
from sftrecipe.sweep.judged_rows import Values
from sftrecipe.sweep.statistics import Comparison, Goal, compared

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
    assert found.has_differences or not found.tells_best


def test_the_interval_is_that_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = comparison({"one": [rows(values.tolist())]}).variants["one"].figure
    error = values.std(ddof=1) / math.sqrt(400)
    ends = scipy.stats.t(399, values.mean(), error).interval(0.95)
    assert (found.low, found.high) == pytest.approx(ends)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(0, 99))
def test_on_few_rows_the_interval_is_students(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(5, 2, count)
    found = comparison({"one": [rows(values.tolist())]}).variants["one"].figure
    ends = scipy.stats.t(count - 1, values.mean(), scipy.stats.sem(values)).interval(0.95)
    assert (found.low, found.high) == pytest.approx(ends)


def test_the_critical_values_are_tukeys_where_his_hold() -> None:
    """Trainings alone: variances of two variants are one; of many rows, hardly any is off."""
    for count in (2, 3, 5):
        exact = scipy.stats.studentized_range.ppf(0.95, 2, 2 * count - 2) / math.sqrt(2)
        assert training_critical_value((count, count)) == pytest.approx(exact, rel=0.06)
    for variants in (2, 5, 20):
        exact = scipy.stats.studentized_range.ppf(0.95, variants, np.inf) / math.sqrt(2)
        assert row_critical_value(np.ones(2000), variants) == pytest.approx(exact, rel=0.03)
    assert row_critical_value(np.ones(10), 2) == pytest.approx(
        scipy.stats.t.ppf(0.975, 9), rel=0.05
    )


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


@pytest.mark.parametrize(("count", "told"), [(2, False), (6, False), (7, True), (30, True)])
def test_the_same_difference_on_every_row_is_believed_of_seven(count: int, told: bool) -> None:
    """Right and wrong answers: two of two may differ by luck."""
    found = comparison({"a": [rows([0.0] * count)], "b": [rows([1.0] * count)]})
    assert found.is_decided is told
    assert found.variants["b"].behind.low < 1 < found.variants["b"].behind.high


def test_any_two_that_differ_are_differences() -> None:
    """The best one is too uncertain to be told from any other."""
    random = np.random.default_rng(5)
    wild, calm, other = (random.normal(0, size, 40) for size in (8, 0.1, 0.1))
    trainings = {"wild": wild - wild.mean() - 0.5, "calm": calm, "worse": other + 1}
    found = comparison({name: [rows(each.tolist())] for name, each in trainings.items()})
    assert found.best == "wild"
    assert (found.tells_best, found.has_differences, found.is_decided) == (False, True, False)


@pytest.mark.parametrize(
    ("noise", "variants", "count"),
    [("normal", 2, 10), ("lognormal losses", 10, 10), ("shares, half right", 30, 20)],
)
def test_of_equal_variants_one_is_seldom_said_to_be_better(
    noise: str, variants: int, count: int
) -> None:
    random = np.random.default_rng(4)
    wrong = sum(
        comparison(
            drawn_sweep(random, NOISES[noise], [0.0] * variants, count), seed=seed
        ).has_differences
        for seed in range(80)
    )
    assert wrong <= 10  # 4 are to be expected; a bootstrap says 32 of 10 variants on 10 rows


@pytest.mark.parametrize(("seeds", "size"), [(2, 0.3), (3, 3.0)])
def test_nor_by_the_luck_of_two_or_three_trainings(seeds: int, size: float) -> None:
    random = np.random.default_rng(8)
    wrong = sum(
        comparison(
            drawn_sweep(random, NOISES["normal"], [0.0] * 4, 20, seeds, size), seed=seed
        ).has_differences
        for seed in range(80)
    )
    assert wrong <= 10


def test_a_difference_beyond_the_noise_of_trainings_is_found() -> None:
    random = np.random.default_rng(9)
    found = [
        comparison(drawn_sweep(random, NOISES["normal"], [-3.0, 0, 0], 30, 3, 0.3), seed=seed)
        for seed in range(30)
    ]
    assert sum(each.is_decided and each.best == "v0" for each in found) >= 27
    assert all(each.more_trainings is None for each in found if each.is_decided)


def test_more_trainings_are_as_many_as_tell_the_difference_seen() -> None:
    """What it says of 3 trainings is so: with as many, about 4 of 5 find it."""
    random = np.random.default_rng(10)
    noise, gaps = NOISES["normal"], [-1.0, 0.0]
    said = []
    for seed in range(40):
        more = comparison(drawn_sweep(random, noise, gaps, 100, 2, 0.4), seed=seed).more_trainings
        if more is not None and more.suffices:
            said.append(more)
    assert all(2 < each.trainings <= 20 for each in said)
    middle = int(np.median([each.trainings for each in said]))
    told = sum(
        comparison(drawn_sweep(random, noise, gaps, 100, middle, 0.4), seed=seed).is_decided
        for seed in range(40)
    )
    assert told >= 24


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
    assert widths["far"] > 1.3 * widths["near"] > 5  # the other's trainings tell of its own


def test_the_draws_of_few_trainings_are_students() -> None:
    """Rows without noise: of three trainings, there are two degrees of freedom."""
    levels = [1.0, 2.0, 4.0]
    drawn = comparison({"one": [rows([level] * 5) for level in levels]}).draws
    found = np.quantile(drawn, [0.05, 0.25, 0.5, 0.75, 0.95])
    student = scipy.stats.t(2, np.mean(levels), scipy.stats.sem(levels))
    assert found == pytest.approx(student.ppf([0.05, 0.25, 0.5, 0.75, 0.95]), abs=0.35)
