"""The rows that were lost, by step and reason, with examples from close calls to clear cases."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from sftrecipe.plugin.reasons import Reason
from sftrecipe.report.pages.run.facts.block_facts import block_options
from sftrecipe.report.pages.run.facts.histogram import Threshold, thresholds
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import answer_text, asked_text, cell_text, shortened
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.rejects_file import RejectedRow
from sftrecipe.run.run_reasons import RunReasons
from sftrecipe.run.run_record import StepRecord
from sftrecipe.store.sample_places import evenly

_EXAMPLES = 12
_REASONS = 60
_TEXT = 600
_DETAIL = 300


@dataclass(frozen=True)
class LostRow:
    """A lost row, shortened."""

    id: str
    value: float | str | None
    detail: str
    asked: str
    answer: str


@dataclass(frozen=True)
class Losses:
    """The rows that a step lost for one reason."""

    step: str
    reason: str
    count: int
    explained: Reason
    threshold: Threshold | None = None
    lowest: float | None = None
    highest: float | None = None
    examples: list[LostRow] = field(default_factory=list)


@dataclass(frozen=True)
class _RejectPlaces:
    """Where the rejects of one reason stand in the file, with what was measured."""

    offsets: array[int] = field(default_factory=lambda: array("Q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    """Not a number where nothing was measured, or a text."""


_Group = tuple[str, str]


def rejects(opened: OpenedRun) -> list[Losses]:
    """The losses by step and reason, the greatest first; without `rejects.jsonl` the counts alone.

    The examples of a reason with a measured value are in the order of their distance from its
    threshold: the first were close calls.
    """
    counts = [
        (step, reason, count)
        for step in opened.steps
        for reason, count in step.facts.reasons.items()
    ]
    counts.sort(key=lambda each: -each[2])
    path = opened.out / REJECTS_FILE
    places, explained = _places(path) if counts else {}, RunReasons(opened.run)
    return [
        Losses(
            step.id,
            reason,
            count,
            explained.of(step.id, reason),
            *_measured(opened, step, reason, places.get((step.id, reason), _RejectPlaces())),
        )
        for step, reason, count in counts[:_REASONS]
    ]


def _measured(
    opened: OpenedRun, step: StepRecord, reason: str, places: _RejectPlaces
) -> tuple[Threshold | None, float | None, float | None, list[LostRow]]:
    """The threshold, the lowest and the highest value, and examples of a reason."""
    values = np.asarray(places.values)
    measured = values[np.isfinite(values)]
    mark = None
    if len(measured) and step.thins:
        options = block_options(opened.document, step)
        mark = thresholds(options, [], {reason: measured}).get(reason)
    distance = np.abs(values - (mark.value if mark else 0.0))
    order = np.argsort(distance, kind="stable")
    chosen = [places.offsets[order[index]] for index in evenly(len(order), _EXAMPLES)]
    examples = [_lost(opened.scrub(row)) for row in _read(opened.out / REJECTS_FILE, chosen)]
    lowest, highest = (measured.min(), measured.max()) if len(measured) else (None, None)
    return mark, _plain(lowest), _plain(highest), examples


def _places(path: Path) -> dict[_Group, _RejectPlaces]:
    found: dict[_Group, _RejectPlaces] = {}
    if not path.exists():
        return found
    with path.open("rb") as file:
        offset = 0
        for line in file:
            entry = orjson.loads(line)
            places = found.setdefault((entry["step"], entry["reason"]), _RejectPlaces())
            value = entry["value"]
            places.offsets.append(offset)
            places.values.append(value if isinstance(value, int | float) else float("nan"))
            offset += len(line)
    return found


def _read(path: Path, offsets: list[int]) -> Iterator[RejectedRow]:
    """The rows at some places of the file."""
    if not offsets:
        return
    with path.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            yield RejectedRow.from_json(orjson.loads(file.readline()))


def _lost(rejected: RejectedRow) -> LostRow:
    row, value = rejected.row, rejected.value
    return LostRow(
        row.id,
        shortened(value, _DETAIL) if isinstance(value, str) else value,
        shortened(cell_text(rejected.detail), _DETAIL),
        shortened(asked_text(row), _TEXT),
        shortened(answer_text(row), _TEXT),
    )


def _plain(number: Any) -> float | None:
    return None if number is None else float(number)
