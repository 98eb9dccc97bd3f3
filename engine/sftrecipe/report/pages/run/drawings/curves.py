"""Curves over steps: one or several series of points on the same axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.numbers import number_text, ticks
from sftrecipe.report.pages.run.drawings.svg import circle, line, path, svg, text

_WIDTH, _HEIGHT = 720.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 704.0, 14.0, 228.0
_SINGLE = 40
"""Up to so many points are drawn each."""

Point = tuple[float, float]


class Curve(NamedTuple):
    """A named series."""

    name: str
    points: Sequence[Point]
    colour: int = 0
    """One of the style sheet's seven."""


def curve_chart(curves: Sequence[Curve], label: str) -> Markup:
    """The series; pointing at a point tells its numbers."""
    drawn = [curve for curve in curves if curve.points]
    if not drawn:
        return Markup("")
    points = [point for curve in drawn for point in curve.points]
    frame = _Frame.around(points)
    whole = all(x == int(x) for x, _ in points)
    parts = [*_axes(frame, whole), *(part for curve in drawn for part in _curve(curve, frame))]
    return svg(_WIDTH, _HEIGHT, label, parts)


class _Frame(NamedTuple):
    """The ranges that are drawn."""

    x: Point
    y: Point

    @classmethod
    def around(cls, points: Sequence[Point]) -> _Frame:
        """All points, with some room above and below."""
        xs, ys = zip(*points, strict=True)
        room = (max(ys) - min(ys)) * 0.08 or abs(ys[0]) * 0.1 or 1
        return cls(_apart(min(xs), max(xs)), (min(ys) - room, max(ys) + room))

    def place(self, point: Point) -> Point:
        (left, right), (low, high) = self
        return (
            _LEFT + (point[0] - left) / (right - left) * (_RIGHT - _LEFT),
            _BOTTOM - (point[1] - low) / (high - low) * (_BOTTOM - _TOP),
        )


def _apart(low: float, high: float) -> Point:
    return (low, high) if high > low else (low - 1, high + 1)


def _axes(frame: _Frame, whole: bool) -> Iterator[Markup]:
    """Numbers of both axes; where `whole`, steps that exist."""
    for tick in ticks(*frame.y, 5):
        _, y = frame.place((frame.x[0], tick))
        yield line((_LEFT, y), (_RIGHT, y), "axis")
        yield text(_LEFT - 8, y + 4, number_text(tick), "tick end")
    steps = ticks(*frame.x, 8)
    for tick in [step for step in steps if not whole or step == int(step)]:
        x, _ = frame.place((tick, frame.y[0]))
        yield text(x, _BOTTOM + 18, number_text(tick), "tick")


def _curve(curve: Curve, frame: _Frame) -> Iterator[Markup]:
    places = [frame.place(point) for point in curve.points]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    colour = f"topic-{curve.colour % 7}"
    if len(places) > 1:
        yield path(f"M{way}", f"curve {colour}", curve.name)
    if len(places) <= _SINGLE:
        for (x, y), (step, value) in zip(places, curve.points, strict=True):
            title = f"{curve.name}: {number_text(step)}, {value:.4g}"
            yield circle(x, y, 3.5, f"point {colour}", title)
