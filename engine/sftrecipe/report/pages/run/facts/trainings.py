"""What was trained: settings, data sets, the loss on the way, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sftrecipe.report.pages.run.facts.block_facts import blocks
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.report.text.text_format import Figure, main_figures

_VALUE = 200
_FIGURES = 20

LossCurve = list[tuple[float, float]]
"""Steps with their loss."""


@dataclass(frozen=True)
class TrainedOn:
    """A data set of a training."""

    name: str
    rows: int
    role: str
    """`train` or `holdout`."""


@dataclass(frozen=True)
class TrainedModel:
    """One training."""

    id: str
    use: str
    cached: bool
    seconds: float
    goes_on_from: list[str]
    """Trainings whose model it starts from."""
    settings: list[tuple[str, str]]
    """What the recipe says, in its order."""
    data_sets: list[TrainedOn]
    losses: LossCurve
    held_out_losses: LossCurve
    metrics: Sequence[Figure]
    model: str
    """Its folder, from the output folder on."""


def trainings(opened: OpenedRun) -> list[TrainedModel]:
    """The trainings that were done, in order."""
    return [_training(opened, step) for step in opened.steps if step["section"] == "train"]


def _training(opened: OpenedRun, step: Mapping[str, Any]) -> TrainedModel:
    notes, after = step["notes"], step.get("after", ())
    before = [each for each in opened.steps if each["id"] in after]
    return TrainedModel(
        step["id"],
        step["use"],
        step["cached"],
        step["seconds"],
        [each["id"] for each in before if each["section"] == "train"],
        list(_settings(opened.document, step)),
        [
            TrainedOn(each["name"], each["rows"], each["role"])
            for export in before
            for each in export["notes"].get("data_sets", ())
        ],
        _curve(notes.get("losses", ())),
        _curve(notes.get("held_out_losses", ())),
        main_figures(notes.get("metrics", {}), _FIGURES),
        notes.get("model", ""),
    )


def _settings(document: Mapping[str, Any], step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, block in blocks(document, "train"):
        if name == step["id"]:
            for key, value in (block.get("with") or {}).items():
                yield key, shortened(cell_text(value), _VALUE)


def _curve(points: Sequence[Sequence[float]]) -> LossCurve:
    return [(step, loss) for step, loss in points]
