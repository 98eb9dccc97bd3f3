"""Places for the plan's graph: columns of cards, and ways for what flows past a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from sftrecipe.report.pages.run.facts.plan_graph import Flow, PlanGraph, StreamCard

CARD = 184.0
HEAD = 46.0
STAGE = 24.0
EDGE = 6.0
_GAP_X, _GAP_Y = 40.0, 22.0
_WAY = 4.0
"""Height that is kept free for a flow which passes a column."""


@dataclass
class Spot:
    """A card, or a way past a column, with its place."""

    card: StreamCard | None
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> float:
        """Of the card with its filters."""
        return _WAY if self.card is None else HEAD + len(self.card.stages) * STAGE

    def after(self, stage: int) -> float:
        """Where rows leave that have passed so many filters; they come in at 0."""
        if self.card is None:
            return self.y + _WAY / 2
        return self.y + (HEAD / 2 if not stage else HEAD + (stage - 0.5) * STAGE)


@dataclass
class Layout:
    """All spots; and of each flow those that it goes through, its two ends among them."""

    spots: list[Spot] = field(default_factory=list)
    ways: list[tuple[Flow, list[Spot]]] = field(default_factory=list)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return (
            max(spot.x for spot in self.spots) + CARD + EDGE,
            max(spot.y + spot.height for spot in self.spots) + EDGE,
        )


def flow_layout(found: PlanGraph) -> Layout:
    """Columns by depth; in a column, everything stands near to what it comes from."""
    depths = _depths(found)
    columns: list[list[Spot]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    cards: dict[str, Spot] = {}
    for card in found.cards:
        cards[card.id] = Spot(card)
        columns[depths[card.id]].append(cards[card.id])
    layout = Layout()
    for flow in found.flows:
        between = range(depths[flow.source] + 1, depths[flow.target])
        passed = [Spot(None) for _ in between]
        for depth, spot in zip(between, passed, strict=True):
            columns[depth].append(spot)
        layout.ways.append((flow, [cards[flow.source], *passed, cards[flow.target]]))
    _place(columns, layout)
    layout.spots = [spot for column in columns for spot in column]
    return layout


def _depths(found: PlanGraph) -> dict[str, int]:
    """The cards' columns: sources stand right before what reads them first."""
    depths = {card.id: card.depth for card in found.cards}
    for card in found.cards:
        readers = [depths[flow.target] for flow in found.flows if flow.source == card.id]
        if card.section == "sources" and readers:
            depths[card.id] = min(readers) - 1
    return depths


def _place(columns: list[list[Spot]], layout: Layout) -> None:
    tallest = max((_height(column) for column in columns), default=0.0)
    for depth, column in enumerate(columns):
        heights = {id(spot): list(_comes_from(spot, layout)) for spot in column}
        column.sort(key=lambda spot: _middle(heights[id(spot)]))
        y = EDGE + (tallest - _height(column)) / 2
        for spot in column:
            spot.x, spot.y = EDGE + depth * (CARD + _GAP_X), y
            y += spot.height + _GAP_Y


def _comes_from(spot: Spot, layout: Layout) -> Iterator[float]:
    """Heights at which flows leave that come to a spot."""
    for flow, way in layout.ways:
        for before, after in pairwise(way):
            if after is spot:
                yield before.after(flow.stage)


def _middle(heights: list[float]) -> float:
    return sum(heights) / len(heights) if heights else 0.0


def _height(column: list[Spot]) -> float:
    return sum(spot.height + _GAP_Y for spot in column) - _GAP_Y
