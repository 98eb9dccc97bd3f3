"""The best value between those that a sweep tried."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.sweep.best_value import Optimum, optimum, scale_of
from sftrecipe.sweep.judged_rows import Values
from sftrecipe.sweep.statistics import Goal, compared


def swept(
    heights: dict[float, float], noise: float, seed: int = 0, goal: Goal = "lower", rows: int = 80
) -> Optimum:
    """What a sweep over a number finds whose figures have these heights."""
    random = np.random.default_rng(seed)
    hard = random.normal(0, 3, rows)
    values: dict[str, list[Values]] = {
        str(at): [
            {
                (f"r{row}", 0): (float(value), 1.0)
                for row, value in enumerate(hard + height + random.normal(0, noise, rows))
            }
        ]
        for at, height in heights.items()
    }
    scale = scale_of({str(at): {"train.with.rate": at} for at in heights})
    found = compared(values, goal, seed)
    assert scale is not None
    assert found is not None
    return optimum(scale, found, goal)


def parabola(best: float, *at: float) -> dict[float, float]:
    return {x: (x - best) ** 2 for x in at}


@settings(deadline=None, max_examples=30)
@given(st.floats(-3, 7), st.floats(0.1, 9), st.sampled_from(["lower", "higher"]))
def test_without_noise_it_is_the_lowest_point_in_the_range(
    best: float, bend: float, goal: Goal
) -> None:
    sign = 1 if goal == "lower" else -1
    heights = {x: sign * bend * (x - best) ** 2 for x in (0.0, 1.0, 2.5, 4.0)}
    found = swept(heights, 0.0, goal=goal)
    assert found.at.value == pytest.approx(min(max(best, 0), 4), abs=1e-6)
    assert found.at.low == pytest.approx(found.at.high, abs=1e-6)
    if 0.01 < best < 3.99:
        assert found.where == "inside"
    elif best < -0.01 or best > 4.01:
        assert found.where == ("lowest" if best < 0 else "highest")


def test_the_fit_is_that_of_numpy() -> None:
    heights = {0.0: 3.0, 0.2: 1.1, 0.5: 0.4, 0.7: 0.9, 1.0: 2.2}
    found = swept(heights, 0.0)
    bend, slope, _ = np.polyfit(list(heights), list(heights.values()), 2)
    assert found.at.value == pytest.approx(-slope / (2 * bend))
    lowest = min(found.curve, key=lambda point: point[1])
    assert lowest[0] == pytest.approx(found.at.value, abs=0.025)


def test_the_interval_covers_the_best_point_as_often_as_it_says() -> None:
    found = [swept(parabola(0.4, 0.0, 0.25, 0.5, 0.75, 1.0), 0.4, seed) for seed in range(150)]
    covered = np.mean([each.at.low <= 0.4 <= each.at.high for each in found])
    assert 0.84 <= covered <= 0.96
    assert np.mean([each.at.high - each.at.low for each in found]) < 0.4


def test_where_all_are_equal_nothing_is_told() -> None:
    found = [swept(dict.fromkeys((0.0, 0.3, 0.6, 1.0), 0.0), 1.0, seed) for seed in range(60)]
    told = [each.where for each in found if each.where != "unclear"]
    assert len(told) <= 4
    assert swept(dict.fromkeys((0.0, 0.5, 1.0), 2.0), 0.0).where == "unclear"


def test_a_hump_is_best_at_an_end() -> None:
    assert swept({0.0: 0.0, 1.0: 5.0, 2.0: 1.0}, 0.01).where == "lowest"


def test_numbers_far_apart_are_compared_by_their_logarithms() -> None:
    heights = {10.0**power: (power + 3.5) ** 2 for power in (-5, -4, -3, -2)}
    found = swept(heights, 0.05)
    assert found.where == "inside"
    assert found.at.value == pytest.approx(10**-3.5, rel=0.1)
    assert found.at.low <= found.at.value <= found.at.high


def test_a_share_that_the_others_follow_in_a_line_is_one_number() -> None:
    scale = scale_of(
        {
            name: {"mix.weights": {"a": a, "b": b, "general": g}}
            for name, (a, b, g) in {"x": (7, 1, 2), "y": (4, 4, 2), "z": (1, 7, 2)}.items()
        }
    )
    assert scale is not None
    assert (scale.label, scale.values) == ("a", {"x": 0.7, "y": 0.4, "z": 0.1})
    assert scale.mixed(0.25) == pytest.approx({"a": 0.25, "b": 0.55, "general": 0.2})


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0],  # two values have no curve
        [1.0, 1.0, 2.0],
        [1.0, "two", 3.0],
        [1.0, None, 3.0],
        [True, False, True],
        [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3}],  # the same mix
        [{"a": 1, "b": 0, "c": 0}, {"a": 0, "b": 1, "c": 0}, {"a": 0, "b": 0, "c": 1}],
        [{"a": 1}, {"a": 0}, {"a": 2}],
        [{"a": -1, "b": 3}, {"a": 1, "b": 1}, {"a": 2, "b": 1}],
    ],
)
def test_no_single_number_varies(values: list[Any]) -> None:
    assert scale_of({str(n): {"p": value} for n, value in enumerate(values)}) is None


def test_two_paths_that_vary_are_no_single_number() -> None:
    assert scale_of({str(n): {"p": n, "q": -n} for n in range(4)}) is None
    assert scale_of({str(n): {"p": n, "q": 1} for n in range(4)}) is not None


def test_at_an_end_or_close_to_it() -> None:
    found = swept(parabola(0.1, 0.0, 1.0, 2.0), 1.0)
    assert 0 == found.at.low < found.at.high < 0.5  # some draws at the end, some inside
    assert found.where == "lowest"
    assert swept(parabola(1.9, 0.0, 1.0, 2.0), 1.0).where == "highest"
