"""What a step leaves in its folder, and where that takes the streams."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.drawing import SET_ASIDE
from sftrecipe.record import Record
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Judged, Stream

ROWS = "rows.parquet"
REJECTS = "rejects.parquet"
BREATH = 1000
"""Rows between two looks at Ctrl-C."""

Item = TypeVar("Item")
TellRows = Callable[[int, int], None]
"""Told (rows kept, rows rejected) so far."""


class StreamStep(Protocol):
    """A step, as far as the streams go."""

    @property
    def id(self) -> str: ...
    @property
    def reads(self) -> Sequence[str]: ...
    @property
    def makes(self) -> Sequence[str]: ...
    @property
    def thins(self) -> Sequence[str]: ...


def verdict_file(place: int) -> str:
    """Name of the verdicts on a step's input stream, by its place among them."""
    return f"verdicts-{place}.parquet"


def advance_streams(streams: dict[str, Stream], step: StreamStep, folder: Path) -> None:
    """Take the streams to where they stand after a step whose files lie in `folder`."""
    for place, name in enumerate(step.thins):
        streams[name] = streams[name].through(Judged(step.id, folder / verdict_file(place)))
    streams |= {name: Stream(name, folder / ROWS) for name in step.makes}


def judged_streams(
    streams: Mapping[str, Stream], step: StreamStep, folder: Path
) -> Iterator[tuple[str, Stream]]:
    """The streams on whose rows a step left verdicts, seen through them."""
    for place, name in enumerate(step.reads):
        if (file := folder / verdict_file(place)).exists():
            yield name, streams[name].through(Judged(step.id, file))


async def breathing(items: Iterator[Item]) -> AsyncIterator[Item]:
    """The items of a plain iterator; others are let run, and Ctrl-C heard, now and then."""
    for number, item in enumerate(items):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        yield item


async def write_rows(
    items: AsyncIterator[Record | Reject], ctx: Context, draft: Path, tell: TellRows
) -> StepFacts:
    """Write rows and rejects as they come."""
    reasons: Counter[str] = Counter()
    with _writers(draft) as (rows, rejects):
        async for item in items:
            if isinstance(item, Reject):
                reasons[item.reason] += 1
                rejects.write(item)
            else:
                rows.write(item)
            tell(rows.count, rejects.count)
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
