"""Executing the filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.plugin_kinds import Filter, Verdict
from sftrecipe.plugin.row_views import joined_rows
from sftrecipe.run.steps.step_files import BREATH, TellRows, breathing, verdict_file
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Stream, VerdictWriter


async def thin(
    plugin: Filter, streams: Sequence[Stream], ctx: Context, draft: Path, tell: TellRows
) -> StepFacts:
    """Run a filter over its streams, one verdict file a stream.

    Raises SftrecipeError when it gives more or fewer verdicts than there are rows.
    """
    verdicts = plugin.judge(joined_rows(streams), ctx)
    reasons: Counter[str] = Counter()
    made = kept = 0
    for place, stream in enumerate(streams):
        writer = VerdictWriter(draft / verdict_file(place))
        rows = len(stream)
        try:
            async for verdict in _taken(verdicts, rows):
                if not verdict.keep:
                    reasons[verdict.reason] += 1
                writer.write(verdict)
                if writer.count % BREATH == 0:
                    tell(kept + writer.kept, made + writer.count - kept - writer.kept)
        finally:
            writer.close()
        if writer.count != rows:
            raise SftrecipeError("verdict-count", step=ctx.step)
        made, kept = made + writer.count, kept + writer.kept
    async for _ in _taken(verdicts, 1):
        raise SftrecipeError("verdict-count", step=ctx.step)
    return StepFacts(
        made=made, kept=kept, rejected=made - kept, reasons=dict(reasons), counts=dict(ctx.counts)
    )


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
