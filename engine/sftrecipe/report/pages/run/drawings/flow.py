"""The plan's graph: a card a stream with its filters, left to right, and what flows between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from markupsafe import Markup

from sftrecipe.report.pages.run.drawings.flow_layout import CARD, HEAD, STAGE, Spot, flow_layout
from sftrecipe.report.pages.run.drawings.numbers import fitted
from sftrecipe.report.pages.run.drawings.svg import joined, path, rect, svg, text
from sftrecipe.report.pages.run.facts.plan_graph import Flow, PlanGraph, StreamCard

_LETTER = 7.6
_SMALL = 6.4
_BEND = 20.0
_FITS = 1330
"""Up to this width the graph is shrunk to the page; a wider one scrolls."""


def flow_chart(found: PlanGraph, label: str) -> Markup:
    """The graph; each number is of the rows that go on from there."""
    if not found.cards:
        return Markup("")
    layout = flow_layout(found)
    edges = (_edge(flow, way) for flow, way in layout.ways)
    cards = (_card(spot.card, spot) for spot in layout.spots if spot.card)
    width, height = layout.size
    return svg(width, height, label, [*edges, *cards], "fits" if width < _FITS else "")


def _edge(flow: Flow, way: list[Spot]) -> Markup:
    """From a filter, past the columns between, to the reader's head."""
    steps = [f"M{way[0].x + CARD:.1f} {way[0].after(flow.stage):.1f}"]
    for before, after in pairwise(way):
        x, y = before.x + CARD, before.after(flow.stage)
        end, low = after.x, after.after(0)
        steps.append(f"C{x + _BEND:.1f} {y:.1f} {end - _BEND:.1f} {low:.1f} {end:.1f} {low:.1f}")
        if after.card is None:
            steps.append(f"H{end + CARD:.1f}")
    return path("".join(steps), "edge", f"{flow.source} → {flow.target}")


def _card(card: StreamCard, spot: Spot) -> Markup:
    x, y = spot.x, spot.y
    count = "" if card.made is None else f"{card.made:,}"
    room = CARD - 32 - len(count) * _LETTER
    parts = [
        rect(x, y, CARD, spot.height, f"card {card.section}", f"{card.id} ({card.use})"),
        text(x + 12, y + 20, fitted(card.id, room, _LETTER), "card-name"),
        text(x + 12, y + 36, fitted(card.use, CARD - 24, _SMALL), "card-use"),
        text(x + CARD - 12, y + 20, count, "card-count"),
        *_stages(card, spot),
    ]
    return joined(parts)


def _stages(card: StreamCard, spot: Spot) -> Iterator[Markup]:
    x = spot.x
    for number, stage in enumerate(card.stages):
        y = spot.y + HEAD + number * STAGE
        count = "?" if stage.kept is None else f"{stage.kept:,}"
        room = CARD - 32 - len(count) * _SMALL
        yield rect(x + 4, y, CARD - 8, STAGE - 4, "stage", f"{stage.id} ({stage.use})")
        yield text(x + 12, y + 14, fitted(stage.id, room, _SMALL), "stage-name")
        yield text(x + CARD - 12, y + 14, count, "stage-count")
