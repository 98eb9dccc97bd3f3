"""What a step leaves in its folder, and where that takes the streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.drawing import SET_ASIDE
from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record
from sftrecipe.store.rows import RejectWriter, RowWriter, StoredRecord
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Judged, Stream, VerdictWriter

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
    import asyncio  # noqa: PLC0415 - who only looks at what steps left does not wait for it

    for number, item in enumerate(items):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        yield item


class MadeRows:
    """The rows and rejects of a step, written as they come."""

    def __init__(self, draft: Path) -> None:
        self.rows, self.rejects = RowWriter(draft / ROWS), RejectWriter(draft / REJECTS)
        self._reasons: Counter[str] = Counter()

    def take(self, item: Record | Reject | StoredRecord) -> None:
        """Write the next one."""
        if isinstance(item, Record):
            self.rows.write(item)
        elif isinstance(item, Reject):
            self._reasons[item.reason] += 1
            self.rejects.write(item)
        else:
            self.rows.write_stored(item)

    def close(self) -> None:
        """Write what is held."""
        self.rows.close()
        self.rejects.close()

    def facts(self, ctx: Context) -> StepFacts:
        """What came of it."""
        rows, rejects = self.rows.count, self.rejects.count
        return StepFacts(
            made=rows + rejects,
            kept=rows,
            rejected=rejects,
            set_aside=ctx.counts.pop(SET_ASIDE, 0),
            reasons=dict(self._reasons),
            counts=dict(ctx.counts),
            told=dict(ctx.told),
        )


class GivenVerdicts:
    """A filter's verdicts on one of its streams, written as they come."""

    def __init__(self, draft: Path, place: int) -> None:
        self.writer = VerdictWriter(draft / verdict_file(place))
        self.reasons: Counter[str] = Counter()
        self.untagged: Counter[str] = Counter()

    def take(self, verdict: Verdict) -> None:
        """Write the verdict on the next row."""
        if not verdict.keep:
            self.reasons[verdict.reason] += 1
        elif verdict.untagged:
            self.untagged[verdict.reason] += 1
        self.writer.write(verdict)

    def close(self) -> None:
        """Write what is held."""
        self.writer.close()


def verdict_facts(given: Sequence[GivenVerdicts], ctx: Context) -> StepFacts:
    """What came of a filter, over its streams."""
    made = sum(each.writer.count for each in given)
    kept = sum(each.writer.kept for each in given)
    return StepFacts(
        made,
        kept,
        made - kept,
        reasons=_together(each.reasons for each in given),
        untagged=_together(each.untagged for each in given),
        counts=dict(ctx.counts),
        told=dict(ctx.told),
    )


def _together(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


async def write_rows(
    items: AsyncIterator[Record | Reject], ctx: Context, draft: Path, tell: TellRows
) -> StepFacts:
    """Write rows and rejects as they come."""
    with closing(MadeRows(draft)) as made:
        async for item in items:
            made.take(item)
            tell(made.rows.count, made.rejects.count)
    return made.facts(ctx)
