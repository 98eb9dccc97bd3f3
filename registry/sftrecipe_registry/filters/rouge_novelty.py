"""Rows that say something new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe.plugin import (
    ColumnName,
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
from sftrecipe_registry.shared.text.row_text import instruction_text, text_of
from sftrecipe_registry.shared.text.tokenizers import (
    TokenizerName,
    jieba_problems,
    resolved,
    tokenizer,
)

texts = Texts(__package__)

SHOWN = 80
"""Characters of the nearest row that a reject shows."""


class RougeNovelty(Filter):
    """Keep a row only if its ROUGE-L F1 with every row kept before it is at most `max`.

    Rejects `too_similar` with the similarity; the detail is the id and the text of the nearest row.
    A kept row keeps its largest similarity as score. Exact: the numbers are those of rouge_score,
    and so are the rows. Rows without a token are kept and counted (`no_tokens`).
    """

    paper: ClassVar[str] = "Self-Instruct (arXiv 2212.10560), section 2.2; AugCon for Chinese"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"too_similar": ("max",)}
    example: ClassVar[str] = (
        "{use: rouge_novelty, with: {max: 0.7, tokenizer: jieba, against: [seeds]}}"
    )

    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined; left out: the instruction, else the last
    user turn, else the text."""
    max: Annotated[float, Ge(0), Le(1)] = 0.7
    """The largest ROUGE-L F1 with any accepted row; a row above it is rejected."""
    tokenizer: TokenizerName = "auto"
    """`rouge_en`: runs of a-z and 0-9, as rouge_score; `word`: words of any script; `char`: Chinese
    and Japanese by characters, the rest by words; `jieba`: Chinese words, as AugCon (needs jieba);
    `auto`: by the recipe's language, `rouge_en` for en, `char` for zh and ja, `word` for others."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows count as accepted before: the seeds, usually."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed."""
        yield from jieba_problems(asked=self.tokenizer == "jieba")

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused when the tokenizer yields nothing for most of the rows' texts.
        """
        from sftrecipe_registry.shared.text.rouge_index import RougeIndex  # noqa: PLC0415 - numpy

        split = tokenizer(self.tokenizer, ctx.language)
        read = text_of(self.field, instruction_text)
        index = RougeIndex()
        accepted: list[tuple[str, str]] = []
        for stream in self.against:
            for row in ctx.streams[stream]:
                text = read(row)
                if tokens := split(text):
                    index.add(tokens)
                    accepted.append((row.id, text[:SHOWN]))
        spoken = silent = 0
        for row in rows:
            text = read(row)
            spoken += bool(text)
            tokens = split(text)
            if not tokens:
                silent += bool(text)
                ctx.count("no_tokens")
                yield Verdict(True, value=0.0)
                continue
            value, place = index.nearest(tokens)
            if value > self.max:
                yield Verdict(False, "too_similar", value, " ".join(accepted[place]))
                continue
            index.add(tokens)
            accepted.append((row.id, text[:SHOWN]))
            yield Verdict(True, value=value)
        self._refuse_silence(silent, spoken, len(rows), ctx)

    def _refuse_silence(self, silent: int, spoken: int, rows: int, ctx: Context) -> None:
        if rows and not spoken:
            raise PluginRefused(texts("no-text"))
        if silent * 2 > spoken:
            name = resolved(self.tokenizer, ctx.language)
            raise PluginRefused(texts("no-tokens", tokenizer=name, silent=silent, count=spoken))
