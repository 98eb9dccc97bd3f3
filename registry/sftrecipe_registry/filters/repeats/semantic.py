"""No row that says what another says, in whatever words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    Capability,
    ColumnName,
    Context,
    Expected,
    Filter,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Rows,
    StreamName,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.repeats.preference import RepeatPreference
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import instruction_text, text_of
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    EmbeddedBy,
    model_is_missing,
)

if TYPE_CHECKING:
    from sftrecipe_registry.shared.vectors.embedded_texts import Vectors

texts = Texts(__package__)


class SemanticDedup(Filter):
    """Keep a row only if its meaning is not too near to that of a row kept before it.

    Nearness is the cosine of the texts' embeddings. Rejects `same_meaning` with the cosine; the
    detail is the id of the kept row that it repeats. Rows without text are kept and counted
    (`no_text`), rows whose call failed are rejected. Each row is compared with all kept ones:
    100,000 rows of 512 numbers take a few minutes and 500 MB.
    """

    paper: ClassVar[str] = (
        "Abbas et al. 2023, SemDeDup (arXiv 2303.09540); here all pairs, not those of a cluster, "
        "and the first or the best is kept, not the one farthest from the cluster's centre"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "same_meaning": ("cosine",),
        "no_embedding": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{use: semantic_dedup, with: {cosine: 0.95, against: [seeds]}}"

    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined; left out: the instruction, else the last
    user turn, else the text."""
    cosine: Annotated[float, Gt(0), Le(1)] = 0.95
    """Cosine from which on a row repeats another. Depends on the model: look at what is rejected.
    With the packaged one, questions that ask the same in other words have 0.8 to 0.95, and so have
    some that ask the opposite."""
    embedding: EmbeddedBy = "packaged"
    """`packaged`: a small model of 16 languages that comes with `pip install
    'sftrecipe[embeddings]'`, 300 texts a CPU-second; `provider`: the block's provider, a call a
    text."""
    prefer: str = "first"
    """Which row stays: `first`; `longest`, the one in which most is said; or the name of a score,
    the highest stays (the id of the block that gave it)."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows must not be repeated either: an earlier data set."""

    def required(self) -> frozenset[Capability]:
        """Embeddings, where a provider makes them."""
        return frozenset({"embed"} if self.embedding == "provider" else ())

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A model that is not installed."""
        if self.embedding == "packaged" and model_is_missing():
            told = texts("needs-package", package=PACKAGE)
            yield OptionProblem(("embedding",), told, INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The packaged model."""
        if self.embedding == "packaged":
            yield package_check(MODULE, PACKAGE, INSTALL)

    def expected(self, least: int, most: int | None) -> Expected:
        """An embedding a row, and one a row of `against`."""
        if self.embedding == "packaged":
            return Expected((0, 0), (0, most))
        return Expected((least, None if self.against else most), (0, most))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused where no row has text, none the score to prefer by, or the package is
        not installed.
        """
        from sftrecipe_registry.shared.vectors.embedded_texts import embedded  # noqa: PLC0415 - numpy

        read = text_of(self.field, instruction_text)
        preference = RepeatPreference(self.prefer)
        for row in rows:
            preference.add(row)
        before = [row for stream in self.against for row in ctx.streams[stream].ids()]
        streams = [*map(ctx.streams.__getitem__, self.against), rows]
        spoken = map(read, chain.from_iterable(streams))
        vectors = await embedded(spoken, self.embedding, ctx)
        if len(rows) and vectors.without_text(len(before)) == len(rows):
            raise PluginRefused(texts("no-text", filter="semantic_dedup"))
        repeats = await self._repeats(vectors, preference.order(), len(before))
        names = [*before, *rows.ids()]
        for place in range(len(before), len(names)):
            yield self._verdict(place, vectors, repeats, names, ctx)

    async def _repeats(
        self, vectors: Vectors, order: list[int], fixed: int
    ) -> dict[int, tuple[int, float]]:
        """Places of rows that repeat one, with that one's place and the cosine."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        from sftrecipe_registry.filters.repeats.cosine_repeats import near_repeats  # noqa: PLC0415 - numpy

        ranked = [*range(fixed), *(fixed + place for place in order)]
        ranked = [place for place in ranked if place in vectors.row_of]
        kept = sum(place < fixed for place in ranked)
        unit = vectors.unit[[vectors.row_of[place] for place in ranked]]
        found = near_repeats(unit, self.cosine, kept)
        repeats: dict[int, tuple[int, float]] = {}
        # In a thread: others go on, and Ctrl-C is heard.
        while (block := await asyncio.to_thread(next, found, None)) is not None:
            for near in block:
                repeats[ranked[near.rank]] = ranked[near.kept], near.cosine
        return repeats

    def _verdict(
        self,
        place: int,
        vectors: Vectors,
        repeats: dict[int, tuple[int, float]],
        names: list[str],
        ctx: Context,
    ) -> Verdict:
        calls = tuple(filter(None, (vectors.calls[place],)))
        failed = vectors.failed.get(place)
        if failed and failed.reason == "no_text":
            ctx.count("no_text")
            return Verdict(True)
        if failed:
            return Verdict(False, failed.reason, detail=failed.message, calls=calls)
        if place not in repeats:
            return Verdict(True, calls=calls)
        other, cosine = repeats[place]
        return Verdict(False, "same_meaning", cosine, names[other], calls=calls)
