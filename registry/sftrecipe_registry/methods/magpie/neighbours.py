"""Magpie's distance to the nearest other instruction, and repetitions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe.plugin import Capability, Context, Expected, Filter, Rows, Verdict
from sftrecipe_registry.shared.text.compared import compared_text
from sftrecipe_registry.shared.text.row_text import Field

if TYPE_CHECKING:
    from sftrecipe_registry.methods.magpie.nearest_neighbours import Neighbours
    from sftrecipe_registry.shared.vectors.embedded_texts import Vectors


class MagpieNeighbours(Filter):
    """Embed every instruction, measure how near the others are, and keep the first of those alike.

    Scores: `min_neighbor_distance`, the squared Euclidean distance (of vectors brought to length 1:
    0 equal, 4 opposite; also 4 where there is no other row); `repeat_count`, how many others are
    nearer than `threshold`; `earlier_repeats`, how many of them stand before. A row with one before
    it is rejected, `repetition`, with its distance and the first one's id; a row without
    text too, `no_text`. All pairs are compared: 100,000 rows of 384 numbers take some four minutes
    on two cores, and 300 MB.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"embed"})
    paper: ClassVar[str] = (
        "Magpie (arXiv 2406.08464), section 3; `exp/gen_dis.py`: all-mpnet-base-v2, threshold "
        "0.05, where at most 499 neighbours are counted and here all"
    )
    version: ClassVar[str] = "2"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "repetition": ("threshold", "drop"),
        "no_text": ("field",),
        "no_embedding": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{use: magpie_neighbours, on: answered, provider: embedder}"

    field: Field = None
    """Column, or list of columns whose texts are joined; left out: what is asked, that is
    instruction and input, or all turns of the user, else the text."""
    threshold: Annotated[float, Ge(0), Le(4)] = 0.05
    """Squared distance under which rows repeat one another."""
    drop: bool = True
    """Reject repetitions; else every row is kept, with the first one's id (its own, if it is the
    first itself) in the column `min_similar`, null where it has no neighbour."""

    def expected(self, least: int, most: int | None) -> Expected:
        """An embedding a row."""
        return Expected((least, most), (0, most))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where embeddings differ in length."""
        from sftrecipe_registry.shared.vectors.embedded_texts import embedded  # noqa: PLC0415 - numpy

        read = compared_text(self.field, rows)
        vectors = await embedded(map(read, rows), "provider", ctx)
        found = self._verdicts(vectors, [*rows.ids()])
        for place, call in enumerate(vectors.calls):
            if fault := vectors.failed.get(place):
                calls = (call,) if call else ()
                yield Verdict(False, fault.reason, detail=fault.message, calls=calls)
            else:
                yield await anext(found)

    async def _verdicts(self, vectors: Vectors, ids: list[str]) -> AsyncIterator[Verdict]:
        """Verdicts on the rows that have a vector."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        from sftrecipe_registry.methods.magpie.nearest_neighbours import (  # noqa: PLC0415 - numpy
            BLOCK,
            NearestNeighbours,
        )

        places = [*vectors.row_of]
        search = NearestNeighbours(vectors.unit, self.threshold)
        for start in range(0, len(places), BLOCK):
            # In a thread: others go on, and Ctrl-C is heard.
            block = await asyncio.to_thread(search.of_block, start)
            for at, place in enumerate(places[start : start + BLOCK]):
                first = int(block.first[at])
                other = ids[places[first]] if first >= 0 else None
                if block.earlier[at] == 0 and other is not None:
                    other = ids[place]
                yield self._verdict(block, at, other, vectors.calls[place])

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
