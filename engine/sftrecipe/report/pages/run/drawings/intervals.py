"""Figures side by side: a bar each, with a whisker over its interval."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.numbers import fitted, number_text, ticks
from sftrecipe.report.pages.run.drawings.svg import line, rect, svg, text

_WIDTH, _ROW, _MARK, _FOOT = 460.0, 26.0, 14.0, 20.0
_LEFT, _RIGHT = 112.0, 292.0
_THICK, _CAP = 12.0, 4.0
_LETTER = 6.4


class Bar(NamedTuple):
    """A category's figure."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    """The ends of its interval, where it has one."""
    colour: int = 0
    """One of the style sheet's seven."""


def interval_chart(
    bars: Sequence[Bar], label: str, marks: Mapping[str, float] | None = None
) -> Markup:
    """The bars from zero on, below one another; `marks` are named values, drawn as lines."""
    marks = marks or {}
    scale = _Scale.over(bars, marks.values())
    top = 2 + _MARK * max(len(marks), 1)
    bottom = top + len(bars) * _ROW
    middles = (top + (place + 0.5) * _ROW for place in range(len(bars)))
    parts = [
        *(
            part
            for bar, middle in zip(bars, middles, strict=True)
            for part in _bar(bar, middle, scale)
        ),
        *_axis(scale, top, bottom),
        *_marks(marks, scale, bottom),
    ]
    return svg(_WIDTH, bottom + _FOOT, label, parts)


class _Scale(NamedTuple):
    """The values between which the chart is drawn."""

    low: float
    high: float

    @classmethod
    def over(cls, bars: Sequence[Bar], marked: Iterable[float]) -> _Scale:
        """Zero, all bars and their intervals, all marks."""
        ends = [end for bar in bars for end in bar[1:4] if end is not None]
        values = [0.0, *ends, *marked]
        low, high = min(values), max(values)
        return cls(low, high if high > low else low + 1)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.low) / (self.high - self.low) * (_RIGHT - _LEFT)


def _bar(bar: Bar, middle: float, scale: _Scale) -> Iterator[Markup]:
    start, end = sorted((scale.x(0), scale.x(bar.value)))
    said = _title(bar)
    yield text(4, middle + 4, fitted(bar.name, _LEFT - 12, _LETTER), "name")
    top, width = middle - _THICK / 2, max(end - start, 1)
    yield rect(start, top, width, _THICK, f"topic-{bar.colour % 7}", f"{bar.name}: {said}")
    if bar.low is not None and bar.high is not None:
        low, high = scale.x(bar.low), scale.x(bar.high)
        yield line((low, middle), (high, middle), "whisker")
        for x in (low, high):
            yield line((x, middle - _CAP), (x, middle + _CAP), "whisker")
    yield text(_RIGHT + 10, middle + 4, said)


def _title(bar: Bar) -> str:
    if bar.low is None or bar.high is None:
        return number_text(bar.value)
    return f"{number_text(bar.value)} ({number_text(bar.low)} – {number_text(bar.high)})"


def _axis(scale: _Scale, top: float, bottom: float) -> Iterator[Markup]:
    yield line((_LEFT, bottom), (_RIGHT, bottom), "axis")
    zero = scale.x(0)
    yield line((zero, top), (zero, bottom), "axis")
    for tick in ticks(scale.low, scale.high, 4):
        yield text(scale.x(tick), bottom + 15, number_text(tick), "tick")


def _marks(marks: Mapping[str, float], scale: _Scale, bottom: float) -> Iterator[Markup]:
    """A line each, its name above the chart in a line of its own."""
    for place, (name, value) in enumerate(sorted(marks.items(), key=itemgetter(1)), 1):
        x, foot = scale.x(value), place * _MARK
        yield line((x, foot - _MARK / 2), (x, bottom), "threshold")
        side = "end" if x > (_LEFT + _RIGHT) / 2 else "start"
        yield text(x + (-4 if side == "end" else 4), foot - 3, fitted(name, 200, 6), f"mark {side}")
