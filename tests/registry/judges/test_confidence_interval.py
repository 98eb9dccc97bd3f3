"""Confidence intervals: how often they hold the truth, and what they are of few or equal rows."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import stdtrit

from sftrecipe_registry.judges.confidence_interval import (
    LOSS,
    SHARE,
    Parts,
    estimates,
    metric_names,
    named_metrics,
    share_estimate,
)
from sftrecipe_registry.judges.mean_interval import (
    ANY,
    Span,
    effective_rows,
    mean_ends,
    ratio_pulls,
)
from sftrecipe_registry.judges.share_interval import (
    share_difference_ends,
    share_difference_reach,
    share_ends,
    share_reach,
)

Floats = NDArray[np.float64]
VALUES = st.lists(st.floats(-100, 100), min_size=1, max_size=30)
SAMPLES = 4000
COVERS = 0.92, 0.98
"""For so many samples; benchmarks/judges/coverage.py has the figures of many more."""


def means(values: list[float]) -> Parts:
    return [(value, 1.0) for value in values]


@settings(deadline=None)
@given(VALUES, st.sampled_from([ANY, Span(-100.0, 100.0), Span(-100.0)]))
@example([2.0] * 30, ANY)
@example([0.0], ANY)
@example([5e-324, 0.0, 1.0], ANY)
def test_the_interval_holds_the_mean_and_is_never_without_width(
    values: list[float], span: Span
) -> None:
    found = estimates({"mean": means(values)}, {}, {"mean": span})["mean"]
    assert found.value == math.fsum(values) / len(values)
    assert span.least <= found.low <= found.value <= found.high <= span.most
    assert found.high - found.low > 0
    assert estimates({"mean": means(values)}, {}, {"mean": span})["mean"] == found


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_shares_and_their_differences_stay_in_their_range(rows: list[tuple[bool, bool]]) -> None:
    figures = {name: means([float(row[place]) for row in rows]) for place, name in enumerate("ab")}
    spans = dict.fromkeys(figures, SHARE)
    found = estimates(figures, {"a-b": ("a", "b")}, spans)
    for name in "ab":
        assert 0 <= found[name].low <= found[name].value <= found[name].high <= 1
        assert found[name].high - found[name].low > 0.01
    difference = found["a-b"]
    assert -1 <= difference.low <= difference.value <= difference.high <= 1
    assert difference.high - difference.low > 0.01
    turned = estimates(figures, {"b-a": ("b", "a")}, spans)["b-a"]
    assert (-turned.high, -turned.low) == pytest.approx(difference[1:], abs=1e-9)


def test_a_share_is_as_the_literature_has_it() -> None:
    # Wilson 1927, by hand: 15 of 50; all of 5 by mid-P, p ** 5 / 2 = 0.025.
    z2, share = 1.959964**2, 0.3
    middle, reach = share + z2 / 100, 1.959964 * math.sqrt(share * 0.7 / 50 + z2 / 10_000)
    wilson = (middle - reach) / (1 + z2 / 50), (middle + reach) / (1 + z2 / 50)
    assert share_estimate(15, 50)[1:] == pytest.approx(wilson, abs=1e-6)
    assert share_estimate(5, 5) == pytest.approx((1, 0.05 ** (1 / 5), 1))
    assert share_estimate(0, 5) == pytest.approx((0, 0, 1 - 0.05 ** (1 / 5)))


def test_the_score_interval_is_where_the_test_refuses() -> None:
    """At both ends, with the share that is likeliest there, the difference is z deviations off."""
    one, other, rows = 12, 2, 50
    for end in share_difference_ends(one, other, rows):
        difference = float(end)
        shares = np.linspace(max(0.0, -difference) + 1e-9, (1 - abs(difference)) / 2, 400_001)
        same = np.maximum(1 - 2 * shares - difference, 1e-300)
        logs = one * np.log(shares + difference) + other * np.log(shares)
        likeliest = shares[(logs + (rows - one - other) * np.log(same)).argmax()]
        variance = rows * (2 * likeliest + difference * (1 - difference))
        assert abs(one - other - rows * difference) / variance**0.5 == pytest.approx(1.96, abs=1e-3)


def covered(ends: tuple[Floats, Floats], truth: float) -> float:
    return float(((ends[0] <= truth + 1e-9) & (truth - 1e-9 <= ends[1])).mean())


def sampled_mean(values: Floats, span: Span) -> tuple[Floats, Floats]:
    mean = values.mean(-1)
    rows = np.array(values.shape[-1])
    return mean_ends(mean, ratio_pulls(values, np.ones_like(values)), span, np.abs(mean), rows)


@pytest.mark.parametrize("rows", [5, 10, 20, 50, 200])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
def test_shares_are_covered(share: float, rows: int) -> None:
    hits = np.random.default_rng(1).binomial(rows, share, 20_000)
    low, high = share_ends(np.arange(rows + 1), rows)
    assert covered((low[hits], high[hits]), share) >= 0.925


@pytest.mark.parametrize("rows", [5, 10, 20, 50, 200])
@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_losses_and_their_paired_differences_are_covered(sigma: float, rows: int) -> None:
    drawn = np.random.default_rng(rows)
    question = drawn.normal(0, sigma / 2, (SAMPLES, rows))
    one, other = (
        np.exp(question + drawn.normal(0, sigma * 0.75**0.5, (SAMPLES, rows))) for _ in range(2)
    )
    truth = math.exp(sigma**2 / 2)
    assert COVERS[0] <= covered(sampled_mean(one, LOSS), truth) <= COVERS[1]
    assert COVERS[0] <= covered(sampled_mean(one - other, ANY), 0) <= 0.99


@pytest.mark.parametrize("rows", [5, 10, 20, 50, 200])
@pytest.mark.parametrize(("wins", "losses"), [(0.5, 0.5), (0.3, 0.3), (0.5, 0.2), (0.1, 0.05)])
def test_differences_of_shares_and_winning_scores_are_covered(
    wins: float, losses: float, rows: int
) -> None:
    drawn = np.random.default_rng(rows)
    counts = drawn.multinomial(rows, [wins, losses, 1 - wins - losses], 10_000)
    ends = share_difference_ends(counts[:, 0], counts[:, 1], rows)
    assert covered(ends, wins - losses) >= 0.925
    if wins == losses:  # a model that changed nothing passes {at_least: 1} so often
        assert (ends[0] >= 0).mean() <= 0.045


def test_weights_are_those_of_a_ratio_and_differences_are_paired() -> None:
    drawn = random.Random(5)
    tokens = [drawn.randint(1, 50) for _ in range(200)]
    losses = [drawn.gauss(2, 1) for _ in range(200)]
    one = [(loss * count, float(count)) for loss, count in zip(losses, tokens, strict=True)]
    other = [
        ((loss + 0.5) * count, float(count)) for loss, count in zip(losses, tokens, strict=True)
    ]
    found = estimates({"one": one, "other": other}, {"gain": ("one", "other")}, {})
    expected = sum(amount for amount, _ in one) / sum(tokens)
    assert found["one"].value == pytest.approx(expected)
    assert found["one"].high - found["one"].low > 0.1
    # Every row differs by as much: what unseen rows can change, no more.
    assert found["gain"] == pytest.approx((-0.5, -0.5, -0.5), abs=0.06)
    assert found["gain"].low < -0.5 < found["gain"].high


def test_losses_weighted_by_tokens_are_covered() -> None:
    drawn = np.random.default_rng(7)
    tokens = np.ceil(drawn.lognormal(3, 0.7, (SAMPLES, 20)))
    losses = drawn.lognormal(0, 0.5, (SAMPLES, 20))
    amounts = losses * tokens
    ratio = amounts.sum(-1) / tokens.sum(-1)
    ends = mean_ends(ratio, ratio_pulls(amounts, tokens), LOSS, ratio, effective_rows(tokens))
    assert COVERS[0] <= covered(ends, math.exp(0.125)) <= COVERS[1]


def test_rows_without_a_value_do_not_count() -> None:
    rows = [(1.0, 1.0), (0.0, 0.0), (3.0, 1.0)]
    found = estimates({"some": rows, "none": [(0.0, 0.0)] * 3}, {}, {})
    assert found["some"].value == 2
    assert found["some"] == estimates({"two": means([1.0, 3.0])}, {}, {})["two"]
    assert found.keys() == {"some"}
    assert named_metrics(found).keys() == metric_names(["some"])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=12))
@example([1.0, 0.97, 1.0, 0.9, 0.95, 0.05])
def test_a_mean_of_bounded_values_goes_at_most_twice_as_far_as_t(values: list[float]) -> None:
    """Of 6 BLEU scores, Hall's alone went four times as far."""
    deviation = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    assume(deviation > 1e-9 and set(values) != {0.0, 1.0})
    found = estimates({"mean": means(values)}, {}, {"mean": SHARE})["mean"]
    furthest = 2 * float(stdtrit(len(values) - 1, 0.975)) * deviation
    assert found.low >= found.value - furthest - 1e-9
    assert found.high <= found.value + furthest + 1e-9


@pytest.mark.parametrize("bound", [0.5, 0.8, 0.95])
def test_what_rows_reach_is_what_their_interval_reaches(bound: float) -> None:
    """More rows reach further, and the best figure of so many just as far."""
    lows = [share_reach(rows)[0] for rows in range(1, 120)]
    gains = [share_difference_reach(rows)[0] for rows in range(1, 120)]
    assert lows == sorted(lows)
    assert gains == sorted(gains)
    first = next(rows for rows, low in enumerate(lows, 1) if low >= bound)
    assert share_estimate(first, first).low >= bound > share_estimate(first - 1, first - 1).low


def test_three_losses_say_little_but_not_nothing() -> None:
    found = estimates({"loss": means([1.0, 3.0, 8.0])}, {}, {"loss": LOSS})["loss"]
    assert found.high < 100
    drawn = np.random.default_rng(3).lognormal(0, 1, (SAMPLES, 3))
    assert 0.94 <= covered(sampled_mean(drawn, LOSS), math.exp(0.5)) <= 0.98
