"""Cut documents into contexts that fit a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    ColumnName,
    Context,
    Expected,
    Inputs,
    LaterMarker,
    OptionFiles,
    OptionProblem,
    Record,
    Reject,
    RowGenerator,
    Texts,
)
from sftrecipe_registry.shared.text.sentences import chinese_sentences, cut, packed, sentences
from sftrecipe_registry.shared.text.tokenizers import (
    Tokenize,
    TokenizerName,
    jieba_problems,
    tokenizer,
)

texts = Texts(__package__)


class Chunk(RowGenerator):
    """Cut every document into chunks of whole sentences, neighbours packed up to `max`.

    A line is a paragraph. Those of up to `min_paragraph` characters (headings, captions) are
    rejects, `short_paragraph`; the sentences of the others fill chunks, across paragraphs unless
    `across_paragraphs` is false. A chunk has its document's other columns, and its number in the
    document in `chunk`.
    """

    paper: ClassVar[str] = "AugCon (arXiv 2405.16579), preparation of the corpus"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"short_paragraph": ("min_paragraph",)}
    example: ClassVar[str] = "- {id: contexts, use: chunk, from: articles, with: {max: 500}}"

    field: ColumnName = "text"
    """The column that holds the document."""
    by: Literal["characters", "tokens", "sentences"] = "characters"
    """What `max` counts."""
    max: Annotated[int, Gt(0)] = 500
    """The largest chunk."""
    min_paragraph: Annotated[int, Ge(0)] = 100
    """Paragraphs of so many characters or fewer are left out; 0 keeps all."""
    across_paragraphs: Annotated[bool, LaterMarker()] = True
    """Whether a chunk may hold the end of a paragraph and the beginning of the next."""
    long_sentence: Literal["keep", "cut"] = "keep"
    """A sentence over `max`: a chunk by itself, or cut at commas and spaces, else anywhere."""
    tokenizer: TokenizerName = "auto"
    """What a token is where `by` is `tokens`: as for the filter `rouge_novelty`."""
    strict_original: Annotated[bool, LaterMarker()] = False
    """As AugCon's released code: paragraphs end at line feeds alone and are never joined, sentences
    end at 。？！ alone, white space between them stays. The empty context that it makes before a
    sentence over `max`, and asks nothing about, is left out."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed."""
        yield from jieba_problems(asked=self.by == "tokens" and self.tokenizer == "jieba")

    def columns(self, inputs: Inputs) -> Inputs:
        """The document's columns and `chunk`."""
        return None if inputs is None else inputs | {self.field, "chunk"}

    def expected(self, least: int, most: int | None) -> Expected:
        """No calls; how many chunks a document gives is not known before it is read."""
        return Expected((0, 0), (0, None))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The chunks of a document, and its short paragraphs as rejects."""
        made: list[Record | Reject] = []
        kept: list[str] = []
        text = row.text(self.field)
        for line in text.split("\n") if self.strict_original else text.splitlines():
            paragraph = line.strip()
            if len(paragraph) > self.min_paragraph:
                kept.append(paragraph)
            elif paragraph:
                columns = {**row.columns, self.field: paragraph}
                made.append(ctx.reject(columns, "short_paragraph", len(paragraph), parents=[row]))
        for number, chunk in enumerate(self._chunks(kept, ctx), 1):
            columns = {**row.columns, self.field: chunk, "chunk": number}
            made.append(ctx.row(columns, parents=[row], tags=row.tags))
        return made

    def _chunks(self, paragraphs: Sequence[str], ctx: Context) -> Iterator[str]:
        """The chunks of one packing after another: of the document, or of each paragraph."""
        if self.strict_original:
            for paragraph in paragraphs:
                yield from self._packed(chinese_sentences(paragraph), ctx)
            return
        joint = "\n" if self.across_paragraphs else ""
        found = (sentences(paragraph + joint) for paragraph in paragraphs)
        for pieces in [chain.from_iterable(found)] if joint else found:
            yield from filter(None, map(str.strip, self._packed(pieces, ctx)))

    def _packed(self, found: Iterator[str], ctx: Context) -> Iterator[str]:
        def size(text: str) -> int:
            if self.by == "characters":
                return len(text)
            return len(split(text)) if self.by == "tokens" else 1

        split: Tokenize = ctx.once("split", lambda: tokenizer(self.tokenizer, ctx.language))
        if self.long_sentence == "cut":
            found = (part for each in found for part in cut(each, self.max, size))
        return packed(found, self.max, size)
