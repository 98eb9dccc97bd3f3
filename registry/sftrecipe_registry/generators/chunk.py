"""Cut documents into contexts that fit a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from sftrecipe import Context, Record, Reject, RowGenerator
from sftrecipe.kinds import Expected, Inputs, OptionFiles, OptionProblem
from sftrecipe.options import ColumnName
from sftrecipe_registry.shared.sentences import cut, packed, sentences
from sftrecipe_registry.shared.tokenizers import (
    INSTALL_JIEBA,
    Tokenize,
    TokenizerName,
    jieba_is_missing,
    tokenizer,
)


class Chunk(RowGenerator):
    """Cut every document into chunks of whole sentences, neighbours packed up to `max`.

    A line is a paragraph. Those of up to `min_paragraph` characters (headings, captions) are
    rejects, `short_paragraph`; the sentences of the others fill chunks, across paragraphs. A chunk
    has its document's other columns, and its number in the document in `chunk`.
    """

    paper: ClassVar[str] = "AugCon (arXiv 2405.16579), preparation of the corpus"
    example: ClassVar[str] = "- {id: contexts, use: chunk, from: articles, with: {max: 500}}"

    field: ColumnName = "text"
    """The column that holds the document."""
    by: Literal["characters", "tokens", "sentences"] = "characters"
    """What `max` counts."""
    max: Annotated[int, Gt(0)] = 500
    """The largest chunk."""
    min_paragraph: Annotated[int, Ge(0)] = 100
    """Paragraphs of so many characters or fewer are left out; 0 keeps all."""
    long_sentence: Literal["keep", "cut"] = "keep"
    """A sentence over `max`: a chunk by itself, or cut at commas and spaces, else anywhere."""
    tokenizer: TokenizerName = "auto"
    """What a token is where `by` is `tokens`: as for the filter `rouge_novelty`."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed."""
        if self.by == "tokens" and self.tokenizer == "jieba" and jieba_is_missing():
            yield OptionProblem(
                ("tokenizer",), "tokenizer 'jieba' needs the package jieba", INSTALL_JIEBA
            )

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
        for line in row.text(self.field).splitlines():
            paragraph = line.strip()
            if len(paragraph) > self.min_paragraph:
                kept.append(paragraph)
            elif paragraph:
                columns = {**row.columns, self.field: paragraph}
                made.append(ctx.reject(columns, "short_paragraph", len(paragraph), parents=[row]))
        for number, text in enumerate(self._chunks(kept, ctx), 1):
            columns = {**row.columns, self.field: text, "chunk": number}
            made.append(ctx.row(columns, parents=[row], tags=row.tags))
        return made

    def _chunks(self, paragraphs: Sequence[str], ctx: Context) -> Iterator[str]:
        def size(text: str) -> int:
            if self.by == "characters":
                return len(text)
            return len(split(text)) if self.by == "tokens" else 1

        split: Tokenize = ctx.once("split", lambda: tokenizer(self.tokenizer, ctx.language))
        found = (each for text in paragraphs for each in sentences(text + "\n"))
        if self.long_sentence == "cut":
            found = (part for each in found for part in cut(each, self.max, size))
        for text in packed(found, self.max, size):
            if text := text.strip():
                yield text
