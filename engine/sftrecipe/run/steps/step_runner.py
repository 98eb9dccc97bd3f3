"""What the engine asks of a section: how it executes its steps, and whether they still stand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar, cast

from sftrecipe.plan.steps import Step
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context, Rows
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.row_views import joined_rows
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.run.contexts import block_context, providers_by_model
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps.step_files import TellRows
from sftrecipe.store.file_hashes import FileHashes
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Stream

_CONCURRENCY = 16


class StepRunner(ABC):
    """One section's steps in one run."""

    always_written: ClassVar[bool] = False
    """Whether a run writes what is there already once more, so that no plan tells of it."""
    needs_each_stream: ClassVar[bool] = False
    """Whether a step needs rows of each stream that it reads, not of some."""

    def __init__(self, run: RunState) -> None:
        self.run = run

    @abstractmethod
    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Execute a step into the draft of its folder."""

    def rows_to_see(self, step: Step) -> int | None:
        """How many rows the step will look at; None where it looks at them in its own way."""
        return sum(map(len, self.streams_of(step)))

    @staticmethod
    def stands(facts: StepFacts, out: Path, hashes: FileHashes) -> bool:
        """Whether what a finished step left in the output folder is still there as it was."""
        return True

    @staticmethod
    def providers_after(
        recipe: CheckedRecipe, step: Step, facts: StepFacts, out: Path
    ) -> Mapping[str, Block]:
        """The providers that are others once a step has taken place."""
        return {}

    def took_place(self, step: Step, facts: StepFacts) -> None:  # noqa: B027 - most leave no more
        """Note what a step left, whether it was executed now or before."""

    def check_outcome(self, step: Step, facts: StepFacts) -> None:  # noqa: B027 - most are right
        """Raises SftrecipeError where a step came to its end, and the run cannot go on with it."""

    def streams_of(self, step: Step) -> list[Stream]:
        """The streams that a step reads, in order."""
        streams = self.run.streams_before(step)
        return [streams[name] for name in step.reads]

    def rows_of(self, step: Step) -> Rows:
        """The same as one."""
        return joined_rows(self.streams_of(step))

    def context_of(self, step: Step) -> Context:
        """What a step's plugin is given beside its rows."""
        run, recipe = self.run, self.run.plan.recipe
        providers = providers_by_model(step.block)
        asked = [recipe.providers[name].plugin for name in providers.values()]
        before = run.streams_before(step)
        streams = {name: before[name] for name in step.named}
        return replace(
            block_context(recipe, step.block),
            models={name: run.session.model(each, step.id) for name, each in providers.items()},
            streams=cast("Mapping[str, Rows]", streams),
            concurrency=max(map(self._calls_in_flight, asked), default=_CONCURRENCY),
            progress=partial(run.progress.looked_at, step.id),
        )

    def _calls_in_flight(self, provider: Plugin) -> int:
        if not isinstance(provider, Provider):
            return _CONCURRENCY
        limit = provider.limits.concurrency or self.run.concurrency
        return limit or provider.default_concurrency

    def teller_of(self, step: Step) -> TellRows:
        """What shows how far a step is."""
        return lambda kept, rejected: self.run.progress.advanced(step.id, kept, rejected)
