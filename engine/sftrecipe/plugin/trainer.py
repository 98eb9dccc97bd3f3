"""The trainer kind: what a trainer is given, what it finds before it starts, what it leaves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Literal, NamedTuple

from sftrecipe.messages import own_text
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.model_copy import ModelCopy, ModelUpload, Publication
from sftrecipe.plugin.permission import Places
from sftrecipe.plugin.plugin_kinds import DataSet, PluginRefused
from sftrecipe.plugin.row_kinds import RowKind


class TrainingState(NamedTuple):
    """How far a training is."""

    step: int
    steps: int
    loss: float | None = None
    epoch: float | None = None
    seconds_a_step: float | None = None
    seconds_left: float | None = None
    resumed_from: int | None = None
    """Told once, of a training that goes on from a checkpoint: its step."""


Doing = Literal[
    "starting", "loading", "reading", "tokenising", "training", "evaluating", "saving", "merging"
]


class TrainingPhase(NamedTuple):
    """What a training does before its first step, between steps and after the last one."""

    doing: Doing
    done: int | None = None
    """Rows, or batches, that are done; None where nobody counts."""
    total: int | None = None
    seconds: float | None = None
    """Since its program was started."""


class Finding(NamedTuple):
    """Something in the data or the arguments that a training would fail on, or suffer from."""

    state: Literal["fault", "warning"]
    """The training is refused; somebody should look."""
    check: str
    """Short name of what was checked: `template`, `truncation`, `roles` …"""
    message: str
    """Lower case, subject first, the value quoted, no full stop."""
    advice: str | None = None
    examples: tuple[str, ...] = ()
    """Some of the rows or values, with where they stand, shortened."""


@dataclass(frozen=True)
class TrainingForecast:
    """What a training will take, as far as it can be told; bytes, seconds, tokens."""

    model: str
    shape: Literal["files", "config", "name"] | None
    """What the model's size rests on: its files, its configuration, its name; None: not known."""
    device: str
    """What it would train on: `CPU`, or the GPU's name."""
    device_memory: int | None
    rows: int | None = None
    """Rows that it trains on."""
    steps: int | None = None
    epochs: float | None = None
    rows_a_step: int | None = None
    tokens_a_step: int | None = None
    """With what fills sequences up to the longest of their batch."""
    tokens: int | None = None
    lengths: Literal["tokenizer", "sample", "cutoff"] = "cutoff"
    """What rows' lengths rest on; `cutoff`: none is longer than that."""
    memory: Mapping[str, int] | None = None
    """`peak`, and the parts of it; None: not known."""
    fits: Sequence[tuple[Mapping[str, Any], int]] = ()
    """Where it does not fit: settings with which it would, and what it then takes at its peak."""
    seconds: float | None = None
    time_basis: Literal["probe", "last-run", "rough"] | None = None
    disk: int | None = None
    disk_free: int | None = None
    measured_memory: int | None = None
    """The peak of the steps that were measured."""
    notes: Sequence[str] = ()
    """What it leaves out, or takes as something else."""


def _unwatched(_: object) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Training:
    """What a trainer is given."""

    data: Sequence[DataSet]
    folder: Path
    """The run's output folder: `dataset_info.json` and the data sets lie there."""
    context: Context
    create: Callable[[str], AbstractContextManager[IO[bytes]]]
    """Open a file of the output folder for writing; it appears, whole, when the block ends."""
    id: str = "train"
    """The train block's id: what it writes is named after it where it is not `train`."""
    models: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the models that earlier train blocks made, by their ids."""
    allowed: frozenset[str] = frozenset()
    """Words of permissions (`Plugin.asks_permission`) that the user gave for the recipe."""
    made_by: Mapping[str, Any] = field(default_factory=dict)
    """What the engine says of the step, for `ModelNote`."""
    tell: Callable[[TrainingState | TrainingPhase], None] = _unwatched
    """Tell how far the training is, or what it does."""
    say: Callable[[str], None] = _unwatched
    """One line that tells the user what is being waited for."""
    rows: int | None = None
    """Rows that its data will likely have, where no export has written it yet."""
    before: Mapping[str, float] = field(default_factory=dict)
    """The figures of the block's training before; empty: there was none."""
    awaits: Sequence[DataSet] = ()
    """Data sets that are not made yet, as `Exporter.writes` names them: what can be checked without
    their rows is."""
    changed: frozenset[str] = frozenset()
    """Names of arguments that are not what they were in the training that `before` is of; `use`
    where another trainer trained it."""

    @property
    def places(self) -> Places:
        """Where paths begin that its arguments name."""
        of_presets = self.context.files.of_presets
        return Places(self.context.folder, output=self.folder, of_presets=of_presets)


@dataclass(frozen=True)
class Trained:
    """What a trainer left."""

    model: Path
    """The folder of a whole model (an adapter is merged), ready to be loaded."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    losses: Sequence[tuple[int, float]] = ()
    """The loss on what it trains on, by step."""
    held_out_losses: Sequence[tuple[int, float]] = ()
    """The loss on the holdout, by step, where the trainer measured it on the way."""
    seconds: float | None = None
    """How long it was trained, all attempts together; None where nobody counted."""


class Trainer(Plugin):
    """Trains a model on the exported data sets. `with` takes the trainer's own arguments."""

    kind: ClassVar[str] = "trainer"

    @abstractmethod
    def write_config(self, training: Training) -> Path:
        """Write the trainer's configuration into the output folder, ready to be run by hand."""

    def writes(self, block: str) -> Sequence[str]:
        """Names of the files and folders of the output folder that the train block writes.

        What is in their way is told before anything is spent.
        """
        return ()

    def preflight(self, training: Training) -> Iterator[Finding]:
        """What is wrong with data and arguments, all of it, before any second of a GPU.

        The configuration is written already, unless the training awaits data. Asks nobody over the
        network.
        """
        return iter(())

    def forecast(self, training: Training) -> TrainingForecast | None:
        """What it will take: memory, time, tokens, disk. Reads files of this machine alone.

        After `preflight` it may know more. None: it cannot tell.
        """
        return None

    async def probe(self, training: Training, folder: Path) -> TrainingForecast | None:
        """The same by a few real steps into an empty folder, after `preflight`.

        None: it measures nothing. Raises PluginRefused with the trainer's own error.
        """
        return None

    async def train(self, training: Training, config: Path) -> Trained:
        """Run it, or go on with it where it was interrupted.

        Raises PluginRefused with the trainer's own error.
        """
        raise PluginRefused(own_text("trainer-only-writes", trainer=type(self).__name__))

    def takes(self) -> RowKind | None:
        """What rows must teach that it trains on; None: whatever they teach, or not known."""
        return None

    def goes_on_from(self) -> str | None:
        """`trained:ID` where its options name the model of an earlier train block as their base."""
        return None

    def answers(self, which: Literal["base", "tuned"]) -> Mapping[str, Any] | None:
        """A provider, as a recipe's block, that asks the model before or after the training.

        It serves where a recipe's judges name `base` or `tuned` and define no such provider. None:
        the trainer knows none.
        """
        return None

    def base_name(self) -> str | None:
        """The name on a model hub of what it starts from; None where that has none."""
        return None

    def write_gguf(self, copy: ModelCopy) -> None:
        """Write the model as one GGUF file. Raises PluginRefused with the reason."""
        raise PluginRefused(own_text("trainer-no-copies", trainer=type(self).__name__))

    async def merge(self, copy: ModelCopy) -> None:
        """Write the whole model into a folder, in other numbers. Raises PluginRefused."""
        raise PluginRefused(own_text("trainer-no-copies", trainer=type(self).__name__))

    def publication(self, copy: ModelCopy, what: Publication) -> Mapping[str, Path | bytes]:
        """The files of the model, or of its adapter, that others need: what is of this machine or
        of the training alone is left out. Raises PluginRefused."""
        raise PluginRefused(own_text("trainer-no-copies", trainer=type(self).__name__))

    async def upload(self, upload: ModelUpload) -> str:
        """Send a folder to a hub; the address where it is seen. Raises PluginRefused."""
        raise PluginRefused(own_text("trainer-no-copies", trainer=type(self).__name__))

    @classmethod
    def make_environment(cls, folder: Path, say: Callable[[str], None], *, cpu: bool) -> None:
        """Make the environment that it trains in. Raises PluginRefused with the reason."""
        raise PluginRefused(own_text("trainer-no-environment", trainer=cls.__name__))
