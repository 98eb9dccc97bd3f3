"""The best value between those that a sweep tried, where one number varies.

A quadratic is fitted to the variants' figures, anew on every draw of the comparison, and its best
point within the tried range is found: the spread of these points is the optimum's uncertainty.
Source: Box and Wilson 1951, On the Experimental Attainment of Optimum Conditions; the interval
is that of the draws (`statistics`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sftrecipe.sweep.judged_rows import Floats
from sftrecipe.sweep.statistics import Comparison, Goal, Interval, interval

LEVEL = 0.9
"""Of the optimum's interval; and so many of the draws must agree where it lies."""
_MANY_FOLD = 10.0
"""Positive numbers this far apart are compared by their logarithms."""
_STRAIGHT = 1e-9
_POINTS = 41
"""Of the curve that is drawn."""


@dataclass(frozen=True)
class Scale:
    """The one number that varies from variant to variant."""

    label: str
    """The path, or the key of a mapping whose share varies."""
    values: Mapping[str, float]
    """By variant."""
    logarithmic: bool = False
    ends: tuple[Mapping[str, float], Mapping[str, float]] | None = None
    """The shares of all keys where the number is smallest and largest."""

    def mixed(self, at: float) -> dict[str, float]:
        """The shares of all keys at a value of the number."""
        if self.ends is None:
            return {}
        low, high = min(self.values.values()), max(self.values.values())
        part = (at - low) / (high - low)
        first, last = self.ends
        return {key: first[key] + part * (last[key] - first[key]) for key in first}


Where = Literal["inside", "lowest", "highest", "unclear"]


@dataclass(frozen=True)
class Optimum:
    """Where the best value lies."""

    where: Where
    """Inside the tried range, at one of its ends or nearer to it than to the next value (try
    further), or not to be told."""
    at: Interval
    """The best value and its 90 % interval, within the range."""
    curve: tuple[tuple[float, float], ...]
    """Points of the curve through the figures: number, figure."""


def scale_of(variants: Mapping[str, Mapping[str, Any]]) -> Scale | None:
    """The one number that varies; None where none does, or more than one, or it takes fewer than
    three values.

    That is a number at the only path whose values differ, or, of mappings of numbers such as
    weights, a share that all the others follow in a straight line.
    """
    paths = {
        path
        for values in variants.values()
        for path in values
        if any(other[path] != values[path] for other in variants.values())
    }
    if len(paths) != 1:
        return None
    path = paths.pop()
    found = {name: values[path] for name, values in variants.items()}
    if all(_is_number(value) for value in found.values()):
        scale: Scale | None = _numbers(path, found)
    elif all(_is_mix(value) for value in found.values()):
        scale = _shares(found)
    else:
        return None
    return scale if scale and len(set(scale.values.values())) >= 3 else None


def optimum(scale: Scale, comparison: Comparison, goal: Goal) -> Optimum:
    """Where the best value lies: told only if there are differences beyond noise and the draws
    agree."""
    x = np.array([scale.values[name] for name in comparison.variants])
    x = np.log10(x) if scale.logarithmic else x
    sign = 1.0 if goal == "lower" else -1.0
    figures = np.array([[each.figure.value for each in comparison.variants.values()]])
    drawn = _best_points(x, sign * comparison.draws)
    at = interval(float(_best_points(x, sign * figures)[0]), drawn, LEVEL)
    if scale.logarithmic:
        at = Interval(*(float(10**each) for each in (at.value, at.low, at.high)))
    where = _where(x, drawn) if comparison.has_differences else "unclear"
    return Optimum(where, at, _curve(x, figures, scale))


def _where(x: Floats, drawn: Floats) -> Where:
    tried = np.unique(x)
    agreeing: dict[Where, Floats] = {
        "inside": (drawn > tried[0]) & (drawn < tried[-1]),
        "lowest": drawn <= (tried[0] + tried[1]) / 2,
        "highest": drawn >= (tried[-1] + tried[-2]) / 2,
    }
    return next((where for where, draws in agreeing.items() if draws.mean() >= LEVEL), "unclear")


def _best_points(x: Floats, figures: Floats) -> Floats:
    """The lowest point within the range of the quadratic through each line of figures."""
    low, high = x.min(), x.max()
    middle, half = (low + high) / 2, (high - low) / 2
    _, slope, bend = _quadratics(x, figures)
    end = np.where(slope > 0, -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = -slope / (2 * bend)
    inside = (bend > 0) & (np.abs(vertex) < 1)
    best: Floats = np.where(inside, middle + half * vertex, np.where(end < 0, low, high))
    return best


def _quadratics(x: Floats, figures: Floats) -> Floats:
    """Height, slope and bend of the quadratic through each line of figures, over the range taken
    as -1 to 1."""
    found = np.linalg.lstsq(_powers(_unit(x)), figures.T, rcond=None)[0]
    return np.asarray(found, dtype=np.float64)


def _unit(x: Floats) -> Floats:
    low, high = x.min(), x.max()
    unit: Floats = (2 * x - low - high) / (high - low)
    return unit


def _powers(unit: Floats) -> Floats:
    return np.stack([np.ones_like(unit), unit, unit**2], axis=1)


def _curve(x: Floats, figures: Floats, scale: Scale) -> tuple[tuple[float, float], ...]:
    at = np.linspace(x.min(), x.max(), _POINTS)
    heights = (_powers(_unit(at)) @ _quadratics(x, figures))[:, 0]
    numbers = 10**at if scale.logarithmic else at
    return tuple(zip(numbers.tolist(), heights.tolist(), strict=True))


def _numbers(path: str, found: Mapping[str, Any]) -> Scale:
    values = {name: float(value) for name, value in found.items()}
    low, high = min(values.values()), max(values.values())
    return Scale(path, values, logarithmic=low > 0 and high / low >= _MANY_FOLD)


def _shares(found: Mapping[str, Mapping[str, float]]) -> Scale | None:
    """The share that varies most, where the shares lie on one line."""
    keys = list(dict.fromkeys(key for mix in found.values() for key in mix))
    shares = {
        name: {key: mix.get(key, 0.0) / sum(mix.values()) for key in keys}
        for name, mix in found.items()
    }
    table = np.array([[mix[key] for key in keys] for mix in shares.values()])
    spread = np.ptp(table, axis=0)
    leading = int(spread.argmax())
    x = table[:, leading]
    if spread[leading] <= _STRAIGHT:
        return None
    lowest, highest = int(x.argmin()), int(x.argmax())
    part = (x - x[lowest]) / (x[highest] - x[lowest])
    line = table[lowest] + part[:, None] * (table[highest] - table[lowest])
    if np.abs(table - line).max() > _STRAIGHT:
        return None
    names: Sequence[str] = list(shares)
    ends = shares[names[lowest]], shares[names[highest]]
    return Scale(keys[leading], dict(zip(names, x.tolist(), strict=True)), ends=ends)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_mix(value: object) -> bool:
    """Whether it holds weights."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(_is_number(each) and each >= 0 for each in value.values())
        and sum(value.values()) > 0
    )
