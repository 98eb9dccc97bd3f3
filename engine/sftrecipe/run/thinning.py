"""Executing the steps that choose among rows: filters and the mix."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.kinds import KEEP, Filter, Mix, Mixer, Pick, Verdict
from sftrecipe.record import Record
from sftrecipe.run.making import BREATH, ROWS, Advance, breathing
from sftrecipe.store.rows import RowWriter
from sftrecipe.store.steps import StepFacts
from sftrecipe.store.streams import Stream, VerdictWriter

NOT_DRAWN = "not_drawn"


class Joined:
    """Several streams, one after the other; satisfies `Rows`."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = streams

    def __len__(self) -> int:
        return sum(len(stream) for stream in self._streams)

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._streams)

    def ids(self) -> Iterator[str]:
        """The rows' ids."""
        return chain.from_iterable(stream.ids() for stream in self._streams)


def verdict_file(place: int) -> str:
    """Name of the verdicts on a step's input stream, by its place among them."""
    return f"verdicts-{place}.parquet"


async def thin(
    plugin: Filter, streams: Sequence[Stream], ctx: Context, draft: Path, advance: Advance
) -> StepFacts:
    """Run a filter over its streams, one verdict file a stream.

    Raises SftrecipeError when it gives more or fewer verdicts than there are rows.
    """
    verdicts = plugin.judge(Joined(streams), ctx)
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
                    advance(kept + writer.kept, made + writer.count - kept - writer.kept)
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


def draw(
    plugin: Mixer, streams: Mapping[str, Stream], ctx: Context, draft: Path, advance: Advance
) -> StepFacts:
    """Run the mixer: the drawn rows in its order, and a verdict on every row offered."""
    mix = plugin.mix(streams, ctx)
    with TemporaryFile(dir=draft) as scratch:
        starts, made, drawn = _spool(mix, streams, draft, scratch)
        writer = RowWriter(draft / ROWS)
        try:
            for pick in mix.picks:
                writer.write(_fetch(scratch, starts[pick.stream], pick))
                advance(writer.count, made - drawn)
        finally:
            writer.close()
    notes = {**mix.notes, "written": writer.count, "repeated": writer.count - drawn}
    reasons = {NOT_DRAWN: made - drawn} if made > drawn else {}
    return StepFacts(
        made=made, kept=drawn, rejected=made - drawn, reasons=reasons, notes=notes,
        counts=dict(ctx.counts),
    )  # fmt: skip


def _spool(
    mix: Mix, streams: Mapping[str, Stream], draft: Path, scratch: IO[bytes]
) -> tuple[dict[str, array[int]], int, int]:
    """Write the drawn rows to the scratch file, so that they can be read in any order.

    Gives, by stream, the place of every row in the file (0: not drawn; the file begins with one
    byte that stands for nothing), and the counts of rows offered and drawn.
    """
    scratch.write(b"\n")
    starts = {name: array("Q", bytes(8 * len(stream))) for name, stream in streams.items()}
    for pick in mix.picks:
        starts[pick.stream][pick.row] = 1
    made = drawn = 0
    for place, (name, stream) in enumerate(streams.items()):
        verdicts = VerdictWriter(draft / verdict_file(place))
        wanted = starts[name]
        for row, record in enumerate(stream):
            if wanted[row]:
                wanted[row] = scratch.tell()
                scratch.write(orjson.dumps(tuple(record)) + b"\n")
            verdicts.write(KEEP if wanted[row] else Verdict(False, NOT_DRAWN))
        verdicts.close()
        made, drawn = made + verdicts.count, drawn + verdicts.kept
    scratch.flush()
    return starts, made, drawn


def _fetch(scratch: IO[bytes], starts: array[int], pick: Pick) -> Record:
    scratch.seek(starts[pick.row])
    parts = orjson.loads(scratch.readline())
    record = Record(*parts)
    return record._replace(parents=tuple(record.parents), calls=tuple(record.calls))
