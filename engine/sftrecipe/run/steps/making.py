"""Executing the steps that make rows: sources and generators."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.plugin_kinds import Generator, Source
from sftrecipe.record import Record
from sftrecipe.run.steps.source_rows import SET_ASIDE, read_source
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.step_facts import StepFacts

ROWS = "rows.parquet"
REJECTS = "rejects.parquet"
BREATH = 1000
"""Rows between two looks at Ctrl-C."""

Item = TypeVar("Item")
Advance = Callable[[int, int], None]
"""Told (rows kept, rows rejected) so far."""


async def make_from_source(
    plugin: Source, ctx: Context, draft: Path, advance: Advance
) -> StepFacts:
    """Read a source into a step's folder."""
    return await _write(breathing(read_source(plugin, ctx)), ctx, draft, advance)


async def make_by_generator(
    plugin: Generator, rows: Rows, ctx: Context, draft: Path, advance: Advance
) -> StepFacts:
    """Run a generator into a step's folder."""
    return await _write(plugin.generate(rows, ctx), ctx, draft, advance)


async def breathing(items: Iterator[Item]) -> AsyncIterator[Item]:
    """The items of a plain iterator; others are let run, and Ctrl-C heard, now and then."""
    for number, item in enumerate(items):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        yield item


async def _write(
    items: AsyncIterator[Record | Reject], ctx: Context, draft: Path, advance: Advance
) -> StepFacts:
    reasons: Counter[str] = Counter()
    with _writers(draft) as (rows, rejects):
        async for item in items:
            if isinstance(item, Reject):
                reasons[item.reason] += 1
                rejects.write(item)
            else:
                rows.write(item)
            advance(rows.count, rejects.count)
    return StepFacts(
        made=rows.count + rejects.count,
        kept=rows.count,
        rejected=rejects.count,
        set_aside=ctx.counts.pop(SET_ASIDE, 0),
        reasons=dict(reasons),
        counts=dict(ctx.counts),
        told=dict(ctx.told),
    )


@contextmanager
def _writers(draft: Path) -> Iterator[tuple[RowWriter, RejectWriter]]:
    rows, rejects = RowWriter(draft / ROWS), RejectWriter(draft / REJECTS)
    try:
        yield rows, rejects
    finally:
        rows.close()
        rejects.close()
