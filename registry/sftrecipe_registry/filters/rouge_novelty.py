"""Rows that say something new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe.plugin import (
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
from sftrecipe_registry.shared.text.compared import Monotony, compared_problems, compared_text
from sftrecipe_registry.shared.text.row_text import Field
from sftrecipe_registry.shared.text.scripts import has_unspaced
from sftrecipe_registry.shared.text.tokenizers import (
    TokenizerName,
    jieba_problems,
    resolved,
    tokenizer,
)

if TYPE_CHECKING:
    from sftrecipe_registry.shared.text.rouge_index import Nearest, RougeIndex

texts = Texts(__package__)

_LOOKED_AT = 6
"""Rows that are looked at for terms of their own, those with the fewest such words first."""
_LENIENCE = 0.3
"""How much less similar a row may be that says the same in all its terms."""
_COPIED = 0.1
"""The same for one with words added, which are a question of their own where they are many."""
_FEWEST_SHARED = 0.4
_OWN = {False: 3, True: 6}
"""Words that tell something and that the other lacks, or Chinese characters: rows that both have
more say other things."""
SHOWN = 80
"""Characters of the nearest row that a reject shows."""


class RougeNovelty(Filter):
    """Keep a row only if its ROUGE-L F1 with every row kept before it is at most `max`.

    One above it stays all the same where the words that differ are terms of its own, as in the
    slots of a template: another disease, number, language. One less similar, by 0.3 at most, goes
    where it says the same but for synonyms and a few added words. Rejects `too_similar` with the
    similarity; the detail is the id and the text of the nearest row.
    A kept row keeps its largest similarity as score. Exact: the numbers are those of rouge_score,
    and so are the rows. Rows without a token are kept and counted (`no_tokens`).
    """

    paper: ClassVar[str] = "Self-Instruct (arXiv 2212.10560), section 2.2; AugCon for Chinese"
    version: ClassVar[str] = "4"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"too_similar": ("max", "slots")}
    example: ClassVar[str] = (
        "{use: rouge_novelty, with: {max: 0.7, tokenizer: jieba, against: [seeds]}}"
    )

    field: Field = None
    """Column, or list of columns whose texts are joined; left out: what is asked, that is
    instruction and input, or all turns of the user, else the text."""
    max: Annotated[float, Ge(0), Le(1)] = 0.7
    """The largest ROUGE-L F1 with any accepted row; a row above it is rejected."""
    tokenizer: TokenizerName = "auto"
    """`rouge_en`: runs of a-z and 0-9, as rouge_score; `word`: words of any script; `char`: Chinese
    and Japanese by characters, the rest by words; `jieba`: Chinese words, as AugCon (needs jieba);
    `auto`: by the recipe's language, `rouge_en` for en, `char` for zh and ja, `word` for others."""
    slots: bool = True
    """Keep a row above `max` whose differing words are terms that the other lacks, and the other's
    that it lacks: "symptoms of asthma", "symptoms of gout"; or that tells one thing more of a
    person's case. Six rows are looked at, those with the fewest other words; such rows count as
    `other terms`. `false`: ROUGE-L alone decides, as Self-Instruct published it."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows count as accepted before: the seeds, usually."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed; rows that ask nothing."""
        yield from compared_problems(self.field, inputs)
        yield from jieba_problems(asked=self.tokenizer == "jieba")

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused when the tokenizer yields nothing for most of the rows' texts.
        """
        from sftrecipe_registry.shared.text.rouge_index import Nearest, RougeIndex  # noqa: PLC0415 - numpy

        split = tokenizer(self.tokenizer, ctx.language)
        read = compared_text(self.field, rows)
        monotony = Monotony()
        index = RougeIndex(self._tells() if self.slots else None)
        accepted: list[tuple[str, str]] = []
        for stream in self.against:
            for row in ctx.streams[stream]:
                text = read(row)
                if tokens := split(text):
                    index.add(tokens)
                    accepted.append((row.id, text))
        spoken = silent = 0
        for row in rows:
            text = read(row)
            monotony.add(text)
            spoken += bool(text)
            tokens = split(text)
            if not tokens:
                silent += bool(text)
                ctx.count("no_tokens")
                yield Verdict(True, value=0.0)
                continue
            value, place = index.nearest(tokens)
            if value > self._looked_at_from():
                same = self._same(text, tokens, Nearest(value, place), index, accepted)
                if same is not None:
                    name, shown = accepted[same.place]
                    yield Verdict(False, "too_similar", same.value, f"{name} {shown[:SHOWN]}")
                    continue
                if value > self.max:
                    ctx.count("other terms")
            index.add(tokens)
            accepted.append((row.id, text))
            yield Verdict(True, value=value)
        monotony.tell(ctx)
        self._refuse_silence(silent, spoken, len(rows), ctx)

    def _same(
        self,
        text: str,
        tokens: list[str],
        nearest: Nearest,
        index: RougeIndex,
        accepted: list[tuple[str, str]],
    ) -> Nearest | None:
        """The nearest accepted row above `max` that has no terms of its own; None: all have."""
        if not self.slots:
            return nearest
        from sftrecipe_registry.shared.meaning.copies import is_copy  # noqa: PLC0415
        from sftrecipe_registry.shared.meaning.difference import other_terms, says_the_same  # noqa: PLC0415
        from sftrecipe_registry.shared.meaning.told_cases import tells_more  # noqa: PLC0415 - lists
        from sftrecipe_registry.shared.near_duplicates.long_texts import told_apart  # noqa: PLC0415

        def same(other: Nearest) -> bool:
            both = told_apart(text, accepted[other.place][1])
            if other.value > self.max:
                return other_terms(*both) is None and not tells_more(*both)
            copied = other.value > self.max - _COPIED and is_copy(*both) and not tells_more(*both)
            return copied or says_the_same(*both)

        if nearest.value > self.max and same(nearest):
            return nearest
        own = _OWN[has_unspaced(text)]
        found = index.above(tokens, self._looked_at_from(), _LOOKED_AT, own)
        return next(filter(same, found), None)

    @staticmethod
    def _tells() -> Callable[[str], bool]:
        from sftrecipe_registry.shared.meaning.english_stems import stem  # noqa: PLC0415 - lists
        from sftrecipe_registry.shared.meaning.lexicon import lexicon_of  # noqa: PLC0415

        def tells(token: str) -> bool:
            lexicon, key = lexicon_of(token), stem(token)
            return not (key in lexicon.light or token in lexicon.light or key in lexicon.neutral)

        return tells

    def _looked_at_from(self) -> float:
        """The similarity from which on a row may be the same task, with other words for it."""
        return min(self.max, max(self.max - _LENIENCE, _FEWEST_SHARED)) if self.slots else self.max

    def _refuse_silence(self, silent: int, spoken: int, rows: int, ctx: Context) -> None:
        if rows and not spoken:
            raise PluginRefused(texts("no-text"))
        if silent * 2 > spoken:
            name = resolved(self.tokenizer, ctx.language)
            raise PluginRefused(texts("no-tokens", tokenizer=name, silent=silent, count=spoken))
