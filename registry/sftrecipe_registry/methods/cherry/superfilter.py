"""A few rows that stand for all: the diversity step of Superfiltering."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    Reply,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.row_text import Field, text_aloud, text_of
from sftrecipe_registry.shared.vectors.embedding_width import ODD_EMBEDDING, told_width, usual_width

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

texts = Texts(__package__)


class Superfilter(Filter):
    """Keep the rows that best stand for all others: facility location over embeddings.

    Meant after `ifd`: of the rows with the highest IFD (20 % in the paper), the few (2 %) that
    cover them. Kept rows carry their place in the choice, 1 for the most representative, under the
    block's id. Rejects: `covered`, with the similarity to the kept row that is nearest, whose id is
    the detail; `no_text`; `call_failed`. Memory grows with the rows, not with their pairs; the time
    with the pairs: some 20,000 rows are well done.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"embed"})
    paper: ClassVar[str] = (
        "Li et al. 2024, Superfiltering.D (arXiv 2402.00530 and its code): facility location "
        "over all-MiniLM-L6-v2, similarity exp(-distance / dimension)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "covered": ("rate", "number"),
        "no_text": ("field",),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{use: superfilter, provider: embedder, with: {rate: 0.1}}"

    field: Field = None
    """Column, or list of columns whose texts are joined, to embed; left out: all that is said."""
    rate: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the rows to keep."""
    number: Annotated[int, Gt(0)] | None = None
    """Rows to keep."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """It must be told how many to keep, in one way."""
        if (self.rate is None) == (self.number is None):
            path = () if self.rate is None else ("number",)
            yield OptionProblem(path, texts("rate-or-number"))

    def expected(self, least: int, most: int | None) -> Expected:
        """One call a row."""
        return Expected((least, most), (0, self.number if most is None else self._quota(most)))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order."""
        import numpy as np  # noqa: PLC0415

        said = text_of(self.field, text_aloud)
        vectors: list[NDArray[np.float32]] = []
        places: list[int] = []
        verdicts: list[Verdict] = []
        async for _, reply in ctx.map(lambda row: _embedded(said(row), ctx), rows):
            calls = (reply.key,) if reply.key else ()
            if isinstance(reply, CallFailed):
                reason = reply.reason if reply.key else "no_text"
                verdicts.append(Verdict(False, reason, detail=reply.message, calls=calls))
                continue
            vectors.append(np.array(reply.vector, np.float32))
            places.append(len(verdicts))
            verdicts.append(Verdict(True, calls=calls))
            ctx.progress(len(verdicts))
        usual = usual_width(map(len, vectors))
        for vector, place in zip(vectors, places, strict=True):
            if len(vector) != usual:
                told = told_width(len(vector), usual)
                verdict = verdicts[place]._replace(keep=False, reason=ODD_EMBEDDING, detail=told)
                verdicts[place] = verdict
        places = [place for place in places if verdicts[place].keep]
        vectors = [vector for vector in vectors if len(vector) == usual]
        if vectors:
            ids = list(rows.ids())
            chosen = self._chosen(vectors, [ids[place] for place in places], len(ids))
            for place, verdict in zip(places, chosen, strict=True):
                verdicts[place] = verdict._replace(calls=verdicts[place].calls)
        for verdict in verdicts:
            yield verdict

    def _chosen(
        self, vectors: list[NDArray[np.float32]], ids: list[str], rows: int
    ) -> Iterator[Verdict]:
        """The verdicts on the rows that have a vector."""
        import numpy as np  # noqa: PLC0415

        from sftrecipe_registry.methods.cherry.facility_location import representatives  # noqa: PLC0415

        table = np.stack(vectors)
        lengths = np.linalg.norm(table, axis=1, keepdims=True)
        units = table / np.where(lengths > 0, lengths, 1)
        chosen = representatives(units.astype(np.float32), self._quota(rows))
        ranks = {line: float(rank) for rank, line in enumerate(chosen.places, 1)}
        for line in range(len(ids)):
            if line in ranks:
                yield Verdict(True, value=ranks[line])
                continue
            nearest = ids[int(chosen.nearest[line])] if ranks else ""
            yield Verdict(False, "covered", float(chosen.similarity[line]), nearest)

    def _quota(self, rows: int) -> int:
        if self.number is not None:
            return min(self.number, rows)
        return int((self.rate or 0) * rows)


async def _embedded(text: str, ctx: Context) -> Reply:
    if not text.strip():
        raise CallFailed("final", texts("row-without-text"))
    return await ctx.model.embed(text)
