"""No row that says what another says, in whatever words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    Capability,
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
from sftrecipe_registry.shared.text.compared import compared_problems, compared_text, tell_monotony
from sftrecipe_registry.shared.text.row_text import Field
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    EmbeddedBy,
    model_is_missing,
)

if TYPE_CHECKING:
    from sftrecipe_registry.filters.repeats.cosine_repeats import Same
    from sftrecipe_registry.filters.repeats.cosine_repeats import Vectors as Unit
    from sftrecipe_registry.shared.vectors.embedded_texts import Vectors

texts = Texts(__package__)


class SemanticDedup(Filter):
    """Keep a row only if its meaning is not too near to that of a row kept before it.

    Nearness is the cosine of the texts' embeddings; of two that are near, a rule then says whether
    they differ in a fact: a number or unit, a negation, an opposite, what is asked for, who does
    what to whom, or a term that has no synonym in the other. Short questions in quite other words
    are weighed by a few signs, with the packaged model: the cosine, how alike they are letter by
    letter, and how near the words that only one has are to the other's. Rows that differ stay,
    counted as `another fact`. Rejects `same_meaning` with the cosine; the detail is the id of the
    kept row that it repeats. Rows without text are kept and counted (`no_text`), rows whose call
    failed are rejected. Each row is compared with all kept ones: 100,000 rows of 512 numbers take a
    few minutes and 500 MB.
    """

    paper: ClassVar[str] = (
        "Abbas et al. 2023, SemDeDup (arXiv 2303.09540); here all pairs, not those of a cluster, "
        "and the first or the best is kept, not the one farthest from the cluster's centre"
    )
    version: ClassVar[str] = "4"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "same_meaning": ("cosine", "facts", "action"),
        "no_embedding": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{use: semantic_dedup, with: {action: drop, against: [seeds]}}"

    field: Field = None
    """Column, or list of columns whose texts are joined; left out: what is asked, that is
    instruction and input, or all turns of the user, else the text."""
    cosine: Annotated[float, Gt(0), Le(1)] = 0.6
    """Cosine from which on two rows are compared. Depends on the model: with the packaged one,
    questions that ask the same in other words have 0.6 to 0.95, and so have some that ask the
    opposite."""
    facts: Literal["apart", "ignored"] = "apart"
    """`apart`: rows that differ in a fact are no repeats; `ignored`: the cosine alone decides, and
    a negated question or another dose is taken for the same. Of labelled pairs
    by an author whose others the weights were not fitted on, `apart` finds 3 to 4 of 10 that ask
    the same in other words, of Chinese ones 2 to 3, and takes 0 to 3 of 100 that differ in a fact
    for the same. Texts of more than 4,000 characters are repeats where all their letters are the
    same."""
    action: Literal["report", "drop"] = "report"
    """`report`: every row stays, a repeat with the cosine as score and the other row's id as tag,
    both under the block's id; `drop` repeats."""
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
        """A model that is not installed; rows that ask nothing."""
        yield from compared_problems(self.field, inputs)
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

        read = compared_text(self.field, rows)
        preference = RepeatPreference(self.prefer)
        for row in rows:
            preference.add(row)
        before = [row for stream in self.against for row in ctx.streams[stream].ids()]
        streams = [*map(ctx.streams.__getitem__, self.against), rows]
        spoken = [read(row) for row in chain.from_iterable(streams)]
        tell_monotony(spoken[len(before) :], ctx)
        vectors = await embedded(spoken, self.embedding, ctx)
        if len(rows) and vectors.without_text(len(before)) == len(rows):
            raise PluginRefused(texts("no-text", filter="semantic_dedup"))
        repeats = await self._repeats(vectors, preference.order(), len(before), spoken, ctx)
        names = [*before, *rows.ids()]
        for place in range(len(before), len(names)):
            yield self._verdict(place, vectors, repeats, names, ctx)

    async def _repeats(
        self,
        vectors: Vectors,
        order: list[int],
        fixed: int,
        spoken: list[str],
        ctx: Context,
    ) -> dict[int, tuple[int, float]]:
        """Places of rows that repeat one, with that one's place and the cosine."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        from sftrecipe_registry.filters.repeats.cosine_repeats import near_repeats  # noqa: PLC0415 - numpy

        ranked = [*range(fixed), *(fixed + place for place in order)]
        ranked = [place for place in ranked if place in vectors.row_of]
        kept = sum(place < fixed for place in ranked)
        unit = vectors.unit[[vectors.row_of[place] for place in ranked]]
        vetoed: set[int] = set()
        same = self._same([spoken[place] for place in ranked], unit, vetoed)
        found = near_repeats(unit, self.cosine, kept, same)
        repeats: dict[int, tuple[int, float]] = {}
        # In a thread: others go on, and Ctrl-C is heard.
        while (block := await asyncio.to_thread(next, found, None)) is not None:
            for near in block:
                repeats[ranked[near.rank]] = ranked[near.kept], near.cosine
                vetoed.discard(near.rank)
        if vetoed:
            ctx.count("another fact", len(vetoed))
        return repeats

    def _same(self, spoken: list[str], unit: Unit, vetoed: set[int]) -> Same | None:
        """Whether two texts say the same; `vetoed` takes the rank of one that does not."""
        if self.facts == "ignored":
            return None
        from sftrecipe_registry.filters.repeats.same_meaning import SameMeaning  # noqa: PLC0415

        compare = SameMeaning(packaged=self.embedding == "packaged")

        def same(rank: int, other: int) -> bool:
            found = compare(spoken[rank], spoken[other], float(unit[rank] @ unit[other]))
            if not found:
                vetoed.add(rank)
            return found

        return same

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
        if self.action == "report":
            return Verdict(True, value=cosine, tags={ctx.step: names[other]}, calls=calls)
        return Verdict(False, "same_meaning", cosine, names[other], calls=calls)
