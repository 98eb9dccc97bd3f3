"""What was trained: settings, data sets, the loss on the way, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.report.text.text_format import Figure, main_figures
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.written_blocks import written_blocks
from sftrecipe.store.step_facts import LossPoint, ModelFacts

_VALUE = 200
_FIGURES = 20


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
    losses: Sequence[LossPoint]
    held_out_losses: Sequence[LossPoint]
    metrics: Sequence[Figure]
    model: str
    """Its folder, from the output folder on."""


def trainings(opened: OpenedRun) -> list[TrainedModel]:
    """The trainings that were done, in order."""
    return [_training(opened, step) for step in opened.steps if step.section == "train"]


def _training(opened: OpenedRun, step: StepRecord) -> TrainedModel:
    model = step.facts.model or ModelFacts("")
    before = [each for each in opened.steps if each.id in step.after]
    return TrainedModel(
        id=step.id,
        use=step.use,
        cached=step.cached,
        seconds=step.facts.seconds,
        goes_on_from=[each.id for each in before if each.section == "train"],
        settings=list(_settings(opened.document, step)),
        data_sets=[
            TrainedOn(each.name, each.rows, each.role)
            for export in before
            for each in export.facts.data_sets
        ],
        losses=list(model.losses),
        held_out_losses=list(model.held_out_losses),
        metrics=main_figures(model.metrics, _FIGURES),
        model=model.folder,
    )


def _settings(document: Mapping[str, Any], step: StepRecord) -> Iterator[tuple[str, str]]:
    for name, block in written_blocks(document, "train"):
        if name == step.id:
            for key, value in (block.get("with") or {}).items():
                yield key, shortened(cell_text(value), _VALUE)
