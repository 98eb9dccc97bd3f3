"""Magpie's distance to the nearest other instruction, and repetitions."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe import CallFailed, Context, Filter, PluginRefused, Record, Reply, Rows, Verdict
from sftrecipe.kinds import Capability, Expected
from sftrecipe.options import ColumnName
from sftrecipe_registry.shared.row_text import instruction_text, text_of

if TYPE_CHECKING:
    from sftrecipe_registry.shared.nearest import NearestNeighbours, Neighbours


class MagpieNeighbours(Filter):
    """Embed every instruction, measure how near the others are, and keep the first of those alike.

    Scores: `min_neighbor_distance`, the squared Euclidean distance (of vectors brought to length 1:
    0 equal, 4 opposite; also 4 where there is no other row); `repeat_count`, how many others are
    nearer than `threshold`; `earlier_repeats`, how many of them stand before. A row with one before
    it is rejected, `repetition`, with its distance and the first one's id. All pairs are compared:
    100,000 rows of 384 numbers take some four minutes on two cores, and 300 MB.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"embed"})
    paper: ClassVar[str] = (
        "Magpie (arXiv 2406.08464), section 3; `exp/gen_dis.py`: all-mpnet-base-v2, threshold "
        "0.05, where at most 499 neighbours are counted and here all"
    )
    example: ClassVar[str] = "{use: magpie_neighbours, on: answered, provider: embedder}"

    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined; left out: the instruction, the last user
    turn, or the text."""
    threshold: Annotated[float, Ge(0), Le(4)] = 0.05
    """Squared distance under which rows repeat one another."""
    drop: bool = True
    """Reject repetitions; else every row is kept, with the first one's id (its own, if it is the
    first itself) in the column `min_similar`, null where it has no neighbour."""

    def expected(self, least: int, most: int | None) -> Expected:
        """An embedding a row."""
        return Expected((least, most), (0, most))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order."""
        vectors = await self._embedded(rows, ctx)
        found = self._verdicts(vectors, [*rows.ids()])
        for place in range(len(rows)):
            if place in vectors.failed:
                yield vectors.failed[place]
            else:
                yield await anext(found)

    async def _embedded(self, rows: Rows, ctx: Context) -> _Vectors:
        text = text_of(self.field, instruction_text)
        vectors = _Vectors()

        async def embed(row: Record) -> Reply:
            return await ctx.model.embed(text(row))

        async for row, reply in ctx.map(embed, rows):
            vectors.add(row, reply)
        return vectors

    async def _verdicts(self, vectors: _Vectors, ids: list[str]) -> AsyncIterator[Verdict]:
        """Verdicts on the rows that have a vector."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        from sftrecipe_registry.shared.nearest import BLOCK  # noqa: PLC0415 - numpy

        places = [place for place in range(len(ids)) if place not in vectors.failed]
        search = vectors.search(self.threshold)
        for start in range(0, len(places), BLOCK):
            # In a thread: others go on, and Ctrl-C is heard.
            block = await asyncio.to_thread(search.of_block, start)
            for at, place in enumerate(places[start : start + BLOCK]):
                first = int(block.first[at])
                other = ids[places[first]] if first >= 0 else None
                if block.earlier[at] == 0 and other is not None:
                    other = ids[place]
                yield self._verdict(block, at, other, vectors.calls[start + at])

    def _verdict(self, block: Neighbours, at: int, other: str | None, call: str) -> Verdict:
        distance, calls = float(block.distance[at]), (call,)
        if self.drop and block.earlier[at]:
            return Verdict(False, "repetition", distance, other or "", calls=calls)
        scores = {
            "min_neighbor_distance": distance,
            "repeat_count": float(block.near[at]),
            "earlier_repeats": float(block.earlier[at]),
        }
        changes = {} if self.drop else {"min_similar": other}
        return Verdict(True, scores=scores, changes=changes, calls=calls)


class _Vectors:
    """Embeddings as they come: four bytes a number."""

    def __init__(self) -> None:
        self.failed: dict[int, Verdict] = {}
        """Verdicts on rows that have no embedding, by place."""
        self.calls: list[str] = []
        self._numbers = array("f")
        self._places = 0

    def add(self, row: Record, reply: Reply | CallFailed) -> None:
        """Take the next row's. Raises PluginRefused where the model changes their length."""
        place, self._places = self._places, self._places + 1
        if isinstance(reply, CallFailed):
            calls = (reply.key,) if reply.key else ()
            self.failed[place] = Verdict(False, reply.reason, detail=reply.message, calls=calls)
        elif not any(reply.vector):
            self.failed[place] = Verdict(False, "no_embedding", calls=(reply.key,))
        else:
            width = len(self._numbers) // len(self.calls) if self.calls else len(reply.vector)
            if len(reply.vector) != width:
                raise PluginRefused(
                    f"the embedding of row {row.id} has {len(reply.vector)} numbers, those before "
                    f"{width}: embed all rows by one model"
                )
            self._numbers.extend(reply.vector)
            self.calls.append(reply.key)

    def search(self, threshold: float) -> NearestNeighbours:
        """Looks for neighbours among them."""
        import numpy as np  # noqa: PLC0415 - 70 ms

        from sftrecipe_registry.shared.nearest import (  # noqa: PLC0415 - numpy
            NearestNeighbours,
            unit_vectors,
        )

        numbers = np.frombuffer(self._numbers, np.float32).reshape(len(self.calls), -1)
        return NearestNeighbours(unit_vectors(numbers), threshold)
