"""A model that a recipe's run trained, found again for what is done with it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sftrecipe.errors import SftrecipeError, UsageError, unknown
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.run.run_record import RunRecord, StepRecord
from sftrecipe.run.steps.train_step import model_of
from sftrecipe.run.written_blocks import written_blocks


@dataclass(frozen=True)
class FinishedModel:
    """A trained model that stands."""

    run: RunRecord
    out: Path
    """The run's output folder."""
    step: StepRecord
    folder: Path
    trainer: Trainer

    @property
    def name(self) -> str:
        """The recipe's name, and the train block's where it has one of its own."""
        return self.run.name if self.step.id == "train" else f"{self.run.name}-{self.step.id}"


def finished_model(run: RunRecord, out: Path, train: str | None) -> FinishedModel:
    """The model of a train block; of the last one where none is named.

    Raises UsageError where the run trained none by that name, SftrecipeError where it is gone.
    """
    steps = {step.id: step for step in run.steps if step.facts.model is not None}
    if not steps:
        raise UsageError("no-model-trained", "train-first", folder=str(out), recipe=run.recipe)
    if train is not None and train not in steps:
        raise UsageError.of(unknown("unknown-training", None, train, list(steps), block=train))
    step = steps[train] if train is not None else list(steps.values())[-1]
    folder = model_of(step.facts, out)
    if not (folder / "config.json").is_file():
        raise SftrecipeError("model-gone", "train-first", model=str(folder), recipe=run.recipe)
    block = dict(written_blocks(run.document, "train")).get(step.id, {})
    trainer = plugin_class("trainer", step.use)(**(block.get("with") or {}))
    assert isinstance(trainer, Trainer)  # noqa: S101 - the kind's plugins are
    return FinishedModel(run, out, step, folder, trainer)
