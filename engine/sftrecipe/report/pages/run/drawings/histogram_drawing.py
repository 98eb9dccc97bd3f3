"""A histogram of kept and dropped rows, with lines at thresholds."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.numbers import fitted, number_text, ticks
from sftrecipe.report.pages.run.drawings.svg import line, rect, svg, text
from sftrecipe.report.pages.run.facts.histogram import Histogram
from sftrecipe.report.words.page_words import Words

_WIDTH, _HEIGHT = 460.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 452.0, 30.0, 146.0


def histogram_chart(found: Histogram, label: str, words: Words) -> Markup:
    """Bars of kept rows with the dropped ones on top; pointing at one tells its numbers."""
    if not found.edges:
        return Markup("")
    parts = [*_bars(found, words), *_axis(found), *_thresholds(found)]
    return svg(_WIDTH, _HEIGHT, label, parts)


def _bars(found: Histogram, words: Words) -> Iterator[Markup]:
    most = max(k + d for k, d in zip(found.kept, found.dropped, strict=True)) or 1
    scale = (_BOTTOM - _TOP) / most
    for place, (kept, dropped) in enumerate(zip(found.kept, found.dropped, strict=True)):
        if not kept + dropped:
            continue
        x, end = _x(found, found.edges[place]), _x(found, found.edges[place + 1])
        width = max(end - x - 1, 0.5)
        span = f"{number_text(found.edges[place])} – {number_text(found.edges[place + 1])}"
        title = f"{span}: {kept:,} {words['kept']}, {dropped:,} {words['dropped']}"
        tall, lost = kept * scale, dropped * scale
        if kept:
            yield rect(x, _BOTTOM - tall, width, max(tall, 1), "kept", title)
        if dropped:
            yield rect(x, _BOTTOM - tall - lost, width, max(lost, 1), "dropped", title)


def _axis(found: Histogram) -> Iterator[Markup]:
    yield line((_LEFT, _BOTTOM), (_RIGHT, _BOTTOM), "axis")
    for tick in ticks(found.edges[0], found.edges[-1]):
        yield text(_x(found, tick), _BOTTOM + 15, number_text(tick), "tick")


def _thresholds(found: Histogram) -> Iterator[Markup]:
    for place, mark in enumerate(found.thresholds[:4]):
        x, y = _x(found, mark.value), 10 + 11 * (place % 2)
        yield line((x, y + 4), (x, _BOTTOM), "threshold")
        side = "end" if x > _WIDTH / 2 else "start"
        name = fitted(f"{mark.option} {number_text(mark.value)}", 200, 6)
        yield text(x + (-4 if side == "end" else 4), y + 4, name, f"mark {side}")


def _x(found: Histogram, value: float) -> float:
    low, high = found.edges[0], found.edges[-1]
    inside = min(max(value, low), high)
    return _LEFT + (inside - low) / (high - low) * (_RIGHT - _LEFT)
