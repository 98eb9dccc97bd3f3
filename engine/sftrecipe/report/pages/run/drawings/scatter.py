"""The topic map: a point a row, the topics' terms in their middle."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.numbers import fitted
from sftrecipe.report.pages.run.drawings.svg import circle, svg, text
from sftrecipe.report.pages.run.facts.topic_map import Topic, TopicMap

_WIDTH, _HEIGHT, _EDGE = 720.0, 420.0, 24.0
_LINE = 17.0


def scatter_chart(found: TopicMap, label: str) -> Markup:
    """The map; pointing at a point shows its text."""
    return svg(_WIDTH, _HEIGHT, label, [*_points(found), *_labels(found)])


def _points(found: TopicMap) -> Iterator[Markup]:
    for point in found.points:
        x, y = _place(point.x, point.y)
        yield circle(x, y, 3.5, f"point topic-{point.topic}", point.text)


def _labels(found: TopicMap) -> Iterator[Markup]:
    """The topics' terms, moved down where they would stand on one another."""
    taken: list[tuple[float, float]] = []
    for number, topic in sorted(enumerate(found.topics), key=lambda each: -each[1].y):
        x, y = _place(topic.x, topic.y)
        x = min(max(x, 110), _WIDTH - 110)
        while any(abs(y - other) < _LINE and abs(x - near) < 200 for near, other in taken):
            y += _LINE
        taken.append((x, y))
        yield text(x, y + 4, _label(topic), f"topic-label topic-{number}")


def _label(topic: Topic) -> str:
    return fitted(" · ".join(topic.terms), 210, 7)


def _place(x: float, y: float) -> tuple[float, float]:
    return _EDGE + x * (_WIDTH - 2 * _EDGE), _HEIGHT - _EDGE - y * (_HEIGHT - 2 * _EDGE)
