"""Bootstrap confidence intervals."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.judges.confidence_interval import (
    estimates,
    metric_names,
    named_metrics,
)

VALUES = st.lists(st.floats(-100, 100), min_size=1, max_size=30)


@settings(deadline=None)
@given(VALUES, st.integers(0, 2**64 - 1))
def test_the_interval_holds_the_mean_and_lies_within_the_values(
    values: list[float], seed: int
) -> None:
    found = estimates({"mean": [(value, 1.0) for value in values]}, {}, seed)["mean"]
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert found.value == pytest.approx(math.fsum(values) / len(values), abs=slack)
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert estimates({"mean": [(value, 1.0) for value in values]}, {}, seed)["mean"] == found


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    drawn = random.Random(3)
    covered = 0
    for seed in range(400):
        values = [drawn.gauss(5, 2) for _ in range(80)]
        found = estimates({"mean": [(value, 1.0) for value in values]}, {}, seed)["mean"]
        covered += found.low <= 5 <= found.high
    assert 0.91 <= covered / 400 <= 0.98


def test_weights_are_those_of_a_ratio_and_differences_are_paired() -> None:
    drawn = random.Random(5)
    tokens = [drawn.randint(1, 50) for _ in range(200)]
    losses = [drawn.gauss(2, 1) for _ in range(200)]
    one = [(loss * count, float(count)) for loss, count in zip(losses, tokens, strict=True)]
    other = [
        ((loss + 0.5) * count, float(count)) for loss, count in zip(losses, tokens, strict=True)
    ]
    found = estimates({"one": one, "other": other}, {"gain": ("one", "other")}, 1)
    expected = sum(amount for amount, _ in one) / sum(tokens)
    assert found["one"].value == pytest.approx(expected)
    assert found["one"].high - found["one"].low > 0.1
    assert found["gain"] == pytest.approx((-0.5, -0.5, -0.5))


def test_rows_without_a_value_do_not_count() -> None:
    found = estimates(
        {"some": [(1.0, 1.0), (0.0, 0.0), (3.0, 1.0)], "none": [(0.0, 0.0)] * 3}, {}, 0
    )
    assert found["some"].value == 2
    assert found.keys() == {"some"}
    assert named_metrics(found).keys() == metric_names(["some"])
