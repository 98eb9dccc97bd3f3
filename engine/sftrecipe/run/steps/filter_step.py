"""Filters: they thin streams by one verdict a row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.plugin_kinds import Filter, Verdict
from sftrecipe.run.steps.step_files import BREATH, GivenVerdicts, breathing, verdict_facts
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.step_facts import StepFacts


class FilterStep(StepRunner):
    """Thins streams: one file of verdicts for each."""

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Run the filter.

        Raises SftrecipeError when it gives more or fewer verdicts than there are rows.
        """
        plugin, ctx = step.block.plugin, self.context_of(step)
        assert isinstance(plugin, Filter)  # noqa: S101 - the section's blocks are
        verdicts, tell = plugin.judge(self.rows_of(step), ctx), self.teller_of(step)
        given: list[GivenVerdicts] = []
        made = kept = 0
        for place, stream in enumerate(self.streams_of(step)):
            rows = len(stream)
            with closing(GivenVerdicts(draft, place)) as taken:
                given.append(taken)
                writer = taken.writer
                async for verdict in _taken(verdicts, rows):
                    taken.take(verdict)
                    if writer.count % BREATH == 0:
                        tell(kept + writer.kept, made + writer.count - kept - writer.kept)
            if writer.count != rows:
                raise SftrecipeError("verdict-count", step=step.id)
            made, kept = made + writer.count, kept + writer.kept
        async for _ in _taken(verdicts, 1):
            raise SftrecipeError("verdict-count", step=step.id)
        return verdict_facts(given, ctx)


async def _taken(
    verdicts: Iterator[Verdict] | AsyncIterator[Verdict], count: int
) -> AsyncIterator[Verdict]:
    """The next verdicts, `count` at most; plain iterators let others run now and then."""
    if isinstance(verdicts, AsyncIterator):
        for _ in range(count):
            try:
                yield await anext(verdicts)
            except StopAsyncIteration:
                return
        return
    async for verdict in breathing(islice(verdicts, count)):
        yield verdict
