"""No row that nearly repeats another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    KEEP,
    Context,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Rows,
    StreamName,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.repeats.preference import RepeatPreference
from sftrecipe_registry.shared.text.compared import Monotony, compared_text
from sftrecipe_registry.shared.text.row_text import Field, text_and_media, text_of

if TYPE_CHECKING:
    from sftrecipe_registry.filters.repeats.near_texts import NearTexts
    from sftrecipe_registry.shared.near_duplicates.set_join import Repeats

texts = Texts(__package__)

_BREATH = 256
"""Rows that are read before others are let run."""


class NearDedup(Filter):
    """Keep a row only if it shares too few shingles with every row kept before it.

    What MinHash-LSH estimates, exactly: no pair is missed, and none is taken for similar that is
    not. The similarity of two rows is the Jaccard index of their sets of shingles (runs of words).
    Texts of 60 words at most are compared by characters too. Of two that are similar, of whatever
    length, the second stays where a number, a term, a negation or an opposite differs; a few words
    more are no such difference. Rejects
    `near_duplicate` with the similarity; the detail is the id of the kept row that it repeats. Rows
    without a word are kept and counted (`no_tokens`). Memory: some 10 bytes a word, of short texts
    also 5 bytes a character and the texts.
    Hundreds of thousands of short rows made from one template, similar but not quite similar
    enough, are compared pair by pair, which takes minutes.
    """

    paper: ClassVar[str] = (
        "Lee et al. 2022, Deduplicating Training Data Makes Language Models Better (arXiv "
        "2107.06499), section 4.2, NearDup; joined by prefix filtering (Bayardo et al. 2007)"
    )
    version: ClassVar[str] = "4"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"near_duplicate": ("similarity",)}
    example: ClassVar[str] = (
        "{use: near_dedup, on: [answers, clinic], with: {similarity: 0.7, prefer: rated}}"
    )

    field: Field = None
    """Column, or list of columns whose texts are joined; left out: all that is said in the row,
    with `shingle: auto` without an instruction that all rows share beside their inputs."""
    similarity: Annotated[float, Gt(0), Le(1)] = 0.7
    """Jaccard similarity from which on a row repeats another; 1: equal but for case, spacing and
    punctuation, or for the order of repeated parts."""
    unit: Literal["word", "character"] = "word"
    """What shingles of a set length are made of: `word`, words, of Chinese and Japanese characters;
    `character`, letters and digits."""
    shingle: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    """Words or characters of a shingle. `auto`: five words, and of texts of 60 words at most five
    letters (of Chinese two characters), at a similarity 0.25 lower; no fact may differ. A number:
    shingles of that length alone, and nothing else is looked at."""
    prefer: str = "first"
    """Which row stays: `first`; `longest`, the one in which most is said; or the name of a score,
    the highest stays (the id of the block that gave it)."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows must not be repeated either: an earlier data set."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A unit without a length."""
        if self.shingle == "auto" and self.unit == "character":
            yield OptionProblem(("unit",), texts("unit-without-shingle"), texts("set-shingle"))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused where no row has text, or none the score to prefer by.
        """
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        preference = RepeatPreference(self.prefer)
        compared, fixed = await self._texts(rows, ctx, preference)
        spoken = compared.spoken()
        if len(rows) and not spoken[fixed:].any():
            raise PluginRefused(texts("no-text", filter="near_dedup"))
        # In a thread: others go on, and Ctrl-C is heard.
        found = await asyncio.to_thread(self._repeats, compared, preference.order(), fixed)
        ids = self._ids(rows, ctx, found)
        for place in range(fixed, len(spoken)):
            if not spoken[place]:
                ctx.count("no_tokens")
            other = int(found.of[place])
            if other < 0:
                yield KEEP
            else:
                value = float(found.similarity[place])
                yield Verdict(False, "near_duplicate", value, ids[other])

    async def _texts(
        self, rows: Rows, ctx: Context, preference: RepeatPreference
    ) -> tuple[NearTexts, int]:
        """All rows' texts, those of `against` first, and how many those are."""
        import asyncio  # noqa: PLC0415

        from sftrecipe_registry.filters.repeats.near_texts import NearTexts  # noqa: PLC0415 - numpy

        if self.shingle == "auto":
            read = compared_text(self.field, rows, text_and_media)
        else:
            read = text_of(self.field, text_and_media)
        compared = NearTexts(self.shingle, self.unit)
        fixed = 0
        for stream in self.against:
            for row in ctx.streams[stream]:
                compared.add(read(row))
                fixed += 1
                if fixed % _BREATH == 0:
                    await asyncio.sleep(0)
        monotony = Monotony()
        for row in rows:
            text = read(row)
            monotony.add(text)
            compared.add(text)
            preference.add(row)
            if len(preference) % _BREATH == 0:
                await asyncio.sleep(0)
        monotony.tell(ctx)
        return compared, fixed

    def _repeats(self, compared: NearTexts, order: list[int], fixed: int) -> Repeats:
        import numpy as np  # noqa: PLC0415 - 70 ms

        ranked = np.concatenate([np.arange(fixed), fixed + np.array(order, np.int64)])
        return compared.repeats(self.similarity, ranked, fixed)

    def _ids(self, rows: Rows, ctx: Context, found: Repeats) -> dict[int, str]:
        """Ids of the rows that others repeat, by place."""
        wanted = set(found.of.tolist())
        streams = [ctx.streams[stream] for stream in self.against]
        every = chain.from_iterable(stream.ids() for stream in (*streams, rows))
        return {place: name for place, name in enumerate(every) if place in wanted}
