"""The plan as streams: each begins with what makes it, and goes through its filters.

A block that reads a stream reads it as thin as it was then, so edges leave from a filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.recipe.language.sections import HELD_OUT, MIXED
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.run_record import StepRecord


@dataclass(frozen=True)
class Stage:
    """A filter in a stream."""

    id: str
    use: str
    kept: int | None
    """Rows of this stream after it; unknown where its verdicts are gone."""


@dataclass
class StreamCard:
    """A stream, an export, a training or a judging: what makes it and what thins it."""

    id: str
    section: str
    use: str
    made: int | None
    """Rows; None where it makes a model."""
    depth: int
    stages: list[Stage] = field(default_factory=list)


@dataclass(frozen=True)
class Flow:
    """Rows that go from one stream into a block."""

    source: str
    stage: int
    """Filters of the source that they have passed."""
    target: str


@dataclass(frozen=True)
class PlanGraph:
    """All streams with what flows between them."""

    cards: list[StreamCard]
    flows: list[Flow]


def plan_graph(opened: OpenedRun) -> PlanGraph:
    """The graph of the steps that were done."""
    cards: dict[str, StreamCard] = {}
    flows: list[Flow] = []
    for step in opened.steps:
        read = [cards[name] for name in _sources(opened, step) if name in cards]
        if step.thins:
            for card in read:
                kept = _kept(opened, step, card.id) if len(read) > 1 else step.facts.kept
                card.stages.append(Stage(step.id, step.use, kept))
            continue
        name = MIXED if step.section == "mix" else step.id
        depth = 1 + max((card.depth for card in read), default=-1)
        made = _made(step)
        cards[name] = StreamCard(name, step.section, step.use, made, depth)
        flows += [Flow(card.id, len(card.stages), name) for card in read]
    return PlanGraph(list(cards.values()), flows)


def _sources(opened: OpenedRun, step: StepRecord) -> list[str]:
    """The cards that a step's edges come from; held out rows come from the export that has them."""
    keepers = [each.id for each in opened.steps if HELD_OUT in each.makes]
    known = {HELD_OUT: keepers[0]} if keepers else {}
    names = [known.get(name, name) for name in step.reads]
    return list(dict.fromkeys([*names, *step.after]))


def _made(step: StepRecord) -> int | None:
    """Rows that a step gives on; a mix may give rows more than once."""
    if step.section == "train":
        return None
    if step.section == "export":
        return step.facts.made
    return step.facts.mix.written if step.facts.mix else step.facts.kept


def _kept(opened: OpenedRun, step: StepRecord, stream: str) -> int | None:
    """How many rows of one of a filter's streams it kept."""
    thinned = opened.streams.get(stream)
    judged = [] if thinned is None else [each.step for each in thinned.judged]
    if thinned is None or step.id not in judged:
        return None
    upto: Sequence[Any] = thinned.judged[: judged.index(step.id) + 1]
    return len(type(thinned)(thinned.name, thinned.path, tuple(upto)))
