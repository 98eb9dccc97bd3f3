"""Rows by topic, and as many of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from math import ceil, isqrt
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    Capability,
    Context,
    Expected,
    Filter,
    Inputs,
    LaterMarker,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.compared import compared_problems, compared_text, tell_monotony
from sftrecipe_registry.shared.text.row_text import Field, TextOf
from sftrecipe_registry.shared.text.tokenizers import TokenizerName, tokenizer
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    model_is_missing,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sftrecipe_registry.shared.vectors.embedded_texts import Failed

texts = Texts(__package__)

_MOST_CLUSTERS = 1000


class Cluster(Filter):
    """Group rows by topic (k-means), and keep at most so many of each, or a balanced total.

    Every row that is kept gets the tag of the block's id with its cluster's number, counted from 1
    by first appearance. Rejects `cluster_full`, with the cluster's size and number. Of a cluster
    the best by a score are kept, else they are drawn by the recipe's seed. Rows without text are
    rejected, `no_text`.
    """

    version: ClassVar[str] = "2"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cluster_full": ("most", "total", "share"),
        "no_text": ("field",),
        "no_embedding": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{id: topic, use: cluster, with: {clusters: 50, total: 1000}}"

    clusters: Annotated[int, Gt(1)] | None = None
    """Clusters at most; left out: the square root of the number of rows, at most 1000."""
    most: Annotated[int, Gt(0)] | None = None
    """Rows of each cluster to keep."""
    total: Annotated[int, Gt(0)] | None = None
    """Rows to keep in all: as many of each cluster, where a cluster has fewer more of the others.
    Without `most`, `total` and `share` all rows are kept, with their tags."""
    share: Annotated[float | None, LaterMarker(), Gt(0), Le(1)] = None
    """Share of the rows to keep in all, rounded up, as `total` does: the largest clusters lose
    first, and rare topics stay whole."""
    score: str | None = None
    """Keep the rows with the highest of this score (a filter block's id); left out: by the seed."""
    vectors: Literal["words", "packaged", "provider"] = "words"
    """What topics are told by: `words` that rows have in common (hashed TF-IDF, no package needed);
    a `packaged` model of 16 languages, `pip install 'sftrecipe[embeddings]'`, 300 texts a
    CPU-second; embeddings of the block's `provider`, a call a row."""
    tokenizer: TokenizerName = "char"
    """How texts are split into words, as for the filter `rouge_novelty`: `char` is well for every
    language."""
    field: Field = None
    """Column, or list of columns whose texts are joined; left out: what is asked, that is
    instruction and input, or all turns of the user, else the text."""

    def required(self) -> frozenset[Capability]:
        """Embeddings, where the provider makes the vectors."""
        return frozenset({"embed"} if self.vectors == "provider" else ())

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Two measures of how many; a model that is not installed; rows that ask nothing."""
        yield from compared_problems(self.field, inputs)
        sizes = [name for name in ("most", "total", "share") if getattr(self, name) is not None]
        if len(sizes) > 1:
            told = texts("two-sizes", one=sizes[0], other=sizes[1])
            yield OptionProblem((sizes[1],), told, texts("keep-one"), at_key=True)
        if self.vectors == "packaged" and model_is_missing():
            yield OptionProblem(("vectors",), texts("needs-package", package=PACKAGE), INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The packaged model."""
        if self.vectors == "packaged":
            yield package_check(MODULE, PACKAGE, INSTALL)

    def expected(self, least: int, most: int | None) -> Expected:
        """An embedding a row, where the provider makes them."""
        kept = most if most is None else min(most, self._total(most))
        return Expected((least, most) if self.required() else (0, 0), (0, kept))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where no row has the score."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        from sftrecipe_registry.methods.cherry.kmeans import kmeans  # noqa: PLC0415 - numpy

        read = compared_text(self.field, rows)
        tell_monotony(map(read, rows), ctx)
        unit, places, failed, calls = await self._vectors(rows, read, ctx)
        count = self.clusters or min(max(isqrt(len(places)), 2), _MOST_CLUSTERS)
        # In a thread: others go on, and Ctrl-C is heard.
        found = await asyncio.to_thread(kmeans, unit, count, ctx.number("k-means") >> 1)
        numbers = _by_appearance(found.labels.tolist())
        sizes = Counter(numbers)
        ctx.count("clusters", len(sizes))
        cluster_of = dict(zip(places, numbers, strict=True))
        kept = self._kept(rows, cluster_of, sizes, ctx)
        for place in range(len(rows)):
            asked = (calls[place],) if calls and calls[place] else ()
            if fault := failed.get(place):
                yield Verdict(False, fault.reason, detail=fault.message, calls=asked)
                continue
            number = cluster_of[place]
            if place in kept:
                yield Verdict(True, tags={ctx.step: str(number)}, calls=asked)
            else:
                told = f"cluster {number}"
                yield Verdict(False, "cluster_full", sizes[number], told, calls=asked)

    async def _vectors(
        self, rows: Rows, read: TextOf, ctx: Context
    ) -> tuple[NDArray[np.float32], Sequence[int], dict[int, Failed], Sequence[str]]:
        """Vectors, the places of their rows, why others have none, and calls by place."""
        from sftrecipe_registry.shared.vectors.embedded_texts import (  # noqa: PLC0415 - numpy
            Failed,
            embedded,
        )

        if self.vectors != "words":
            made = await embedded(map(read, rows), self.vectors, ctx)
            return made.unit, [*made.row_of], made.failed, made.calls
        from sftrecipe_registry.methods.cherry.hashed_tfidf import hashed_tfidf  # noqa: PLC0415 - numpy

        split = tokenizer(self.tokenizer, ctx.language)
        unit = hashed_tfidf(_Texts(rows, read), len(rows), split)
        places = [place for place, vector in enumerate(unit) if vector.any()]
        missing = set(range(len(unit))) - set(places)
        return unit[places], places, dict.fromkeys(missing, Failed("no_text")), ()

    def _kept(
        self, rows: Rows, cluster_of: dict[int, int], sizes: Counter[int], ctx: Context
    ) -> set[int]:
        """Places of the rows that stay."""
        caps = self._caps(sizes)
        ranked = sorted(
            (self._rank(row, ctx), place) for place, row in enumerate(rows) if place in cluster_of
        )
        if self.score is not None and ranked and ranked[0][0] == float("inf"):
            raise PluginRefused(texts("no-row-score", score=self.score))
        kept = set()
        for _, place in ranked:
            if caps[cluster_of[place]] > 0:
                caps[cluster_of[place]] -= 1
                kept.add(place)
        return kept

    def _rank(self, row: Record, ctx: Context) -> float:
        if self.score is None:
            return ctx.number("keep", row.id)
        return -row.scores.get(self.score, float("-inf"))

    def _caps(self, sizes: Counter[int]) -> dict[int, int]:
        """How many of each cluster stay."""
        if self.most is not None:
            return {number: min(size, self.most) for number, size in sizes.items()}
        caps, left = {}, self._total(sizes.total())
        ascending = sorted(sizes, key=lambda number: (sizes[number], number))
        for at, number in enumerate(ascending):
            caps[number] = min(sizes[number], left // (len(ascending) - at))
            left -= caps[number]
        return caps

    def _total(self, rows: int) -> int:
        """How many of so many rows stay in all, where a cluster has no limit of its own."""
        if self.share is not None:
            return ceil(self.share * rows - 1e-9 * rows)  # 0.07 * 100 is 7.000000000000001
        return rows if self.total is None else self.total


class _Texts:
    """The rows' texts, as often as they are read."""

    def __init__(self, rows: Rows, read: TextOf) -> None:
        self._rows = rows
        self._read = read

    def __iter__(self) -> Iterator[str]:
        return map(self._read, self._rows)


def _by_appearance(labels: Sequence[int]) -> list[int]:
    """The labels numbered from 1 in the order in which they come."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(label, len(numbers) + 1) for label in labels]
