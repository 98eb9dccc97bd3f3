"""A run in progress: what it works with, and what is done so far."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.plugin_kinds import DataSet
from sftrecipe.plugin.provider import CALL_FAILED
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.steps.step_files import advance_streams
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.step_facts import StepFacts

if TYPE_CHECKING:  # a run that is only told of asks nothing, and reads no rows
    from sftrecipe.calls.session import Session
    from sftrecipe.store.streams import Stream


@dataclass
class Done:
    """What became of a step."""

    step: Step
    facts: StepFacts
    cached: bool


class Broken(NamedTuple):
    """A step that a run ended at, and the rows that it had lost until then."""

    step: Step
    rejects: IO[bytes]


@dataclass
class RunState:
    """What the steps of a run share."""

    plan: Plan
    out: Path
    session: Session
    progress: Progress
    concurrency: int | None = None
    """Calls in flight, where the provider does not limit them."""
    streams: dict[str, Stream] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    broken: tuple[Broken, ...] = ()
    """The steps that failed."""
    exported: dict[str, list[DataSet]] = field(default_factory=dict)
    """What every export wrote, by its id."""
    models: dict[str, Path] = field(default_factory=dict)
    """Folders of the models that were trained, by train block."""
    retry_failed: bool = False
    """Whether steps that lost rows to calls that failed for good are executed again."""
    take_over: bool = False
    """Whether files of the output folder are replaced that no run of the recipe wrote."""

    def __post_init__(self) -> None:
        self.folder = OutputFolder(self.out, self.plan.recipe, take_over=self.take_over)
        self._seen: dict[str, dict[str, Stream]] = {}
        streams: dict[str, Stream] = {}
        for step in self.plan.steps:
            self._seen[step.id] = dict(streams)
            advance_streams(streams, step, self.store.path(step.key))

    @property
    def store(self) -> StepStore:
        """Where finished steps lie."""
        return self.plan.store

    @property
    def data_sets(self) -> list[DataSet]:
        """What the exports wrote."""
        return [data_set for data_sets in self.exported.values() for data_set in data_sets]

    def streams_before(self, step: Step) -> Mapping[str, Stream]:
        """The streams as a step reads them, once those before it are done."""
        return self._seen[step.id]

    def add_done(self, done: Done) -> None:
        """Note a step that is done; they stand in the plan's order, however they came."""
        places = {step.id: place for place, step in enumerate(self.plan.steps)}
        insort(self.done, done, key=lambda each: places[each.step.id])

    @property
    def failed(self) -> int:
        """Rows that calls lost which failed for good."""
        return sum(done.facts.reasons.get(CALL_FAILED, 0) for done in self.done)
