"""Counts of values in equal bins, of kept and of dropped rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_BINS = 30


@dataclass(frozen=True)
class Threshold:
    """An option's value that parts kept from dropped rows."""

    option: str
    value: float


@dataclass(frozen=True)
class Histogram:
    """Values of kept and dropped rows."""

    edges: list[float]
    kept: list[int]
    dropped: list[int]
    thresholds: list[Threshold] = field(default_factory=list)


def histogram(
    kept: Sequence[float] | Any, dropped: Sequence[float] | Any, marks: Sequence[Threshold] = ()
) -> Histogram:
    """The values in bins; whole numbers of a small range get a bin each.

    A long tail is gathered in the outermost bins.
    """
    kept, dropped = _finite(kept), _finite(dropped)
    values = np.concatenate([kept, dropped])
    if not len(values):
        return Histogram([], [], [])
    inner = [*values, *(mark.value for mark in marks)] if len(values) < 100 else None
    low, high = _range(values if inner is None else np.asarray(inner), marks)
    edges = _edges(values, low, high)
    counts = [np.histogram(np.clip(part, low, high), edges)[0] for part in (kept, dropped)]
    return Histogram(edges.tolist(), counts[0].tolist(), counts[1].tolist(), list(marks))


def thresholds(
    options: Mapping[str, Any], kept: Any, dropped: Mapping[str, Any]
) -> dict[str, Threshold]:
    """By reason, the option at whose value the dropped rows begin, where there is one.

    All dropped values lie on one side of it and all kept ones on the other; of several options
    the nearest to the dropped values is meant.
    """
    numbers = {
        name: float(value)
        for name, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    kept, found = _finite(kept), {}
    for reason, values in dropped.items():
        lost = _finite(values)
        near = [
            (abs(_border(lost, value) - value), name, value)
            for name, value in numbers.items()
            if len(lost) and _parts(value, kept, lost)
        ]
        if near:
            _, name, value = min(near)
            found[reason] = Threshold(name, value)
    return found


def _parts(value: float, kept: Any, lost: Any) -> bool:
    above = lost.min() >= value and (not len(kept) or kept.max() <= value)
    below = lost.max() <= value and (not len(kept) or kept.min() >= value)
    return bool(above or below)


def _border(lost: Any, value: float) -> float:
    """The dropped value that is nearest to the threshold's side."""
    return float(lost.min() if lost.min() >= value else lost.max())


def _finite(values: Any) -> Any:
    array = np.asarray(values, dtype=float)
    return array[np.isfinite(array)]


def _range(values: Any, marks: Sequence[Threshold]) -> tuple[float, float]:
    low, high = np.percentile(values, [0, 100] if len(values) < 100 else [0.5, 99.5])
    inside = [low, high, *(mark.value for mark in marks)]
    return float(min(inside)), float(max(inside))


def _edges(values: Any, low: float, high: float) -> Any:
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    whole = bool(np.all(values == np.round(values)))
    if whole and high - low <= _BINS:
        return np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    return np.linspace(low, high, _BINS + 1)
