"""Text for continued pre-training out of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    ColumnName,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    Reject,
    RowGenerator,
    Texts,
)
from sftrecipe_registry.shared.text.row_text import no_text
from sftrecipe_registry.shared.text.sentences import cut, packed, sentences

texts = Texts(__package__)

_TRAILING = re.compile(r"(?<![ \t\u3000\xa0])[ \t\u3000\xa0]++(?=\n|\Z)")  # linear
_BLANK_LINES = re.compile(r"\n{3,}")
_PARAGRAPH = re.compile(r".+?(?:\n{2,}|\Z)", re.DOTALL)


class PretrainText(RowGenerator):
    """Documents as rows of `text` alone, cut where they are too long, their paragraphs kept.

    Export them with `formatting: text` for LLaMA-Factory's stage `pt`, which joins and cuts them to
    `cutoff_len` itself: cut here only to shuffle, mix and filter in smaller pieces. Pieces end at
    paragraphs, else at sentences. Pieces shorter than `min` are rejects, `too_short`.
    """

    paper: ClassVar[str] = "Stage pt of LLaMA-Factory: one document a row, column `text`"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"too_short": ("min",)}
    example: ClassVar[str] = "- {id: corpus, use: pretrain_text, from: articles, with: {max: 8000}}"

    field: ColumnName = "text"
    """The column that holds the document."""
    title: ColumnName | None = None
    """Column with a title, which is set before the document's first piece."""
    max: Annotated[int, Gt(0)] | None = None
    """Characters of a piece at most; documents stay whole where it is left out."""
    min: Annotated[int, Ge(0)] = 200
    """Characters of a piece at least."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A range that holds nothing."""
        yield from no_text(self.field, ("field",))
        if self.max is not None and self.min > self.max:
            yield OptionProblem(("min",), texts("min-above-max", min=self.min, max=self.max))

    def columns(self, inputs: Inputs) -> Inputs:
        """Only the text."""
        return frozenset({"text"})

    def expected(self, least: int, most: int | None) -> Expected:
        """No calls; a row for each document that stays whole."""
        return Expected((0, 0), (0, most if self.max is None else None))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The document's pieces."""
        text = tidied(row.text(self.field))
        if self.title and row.text(self.title).strip():
            text = f"{row.text(self.title).strip()}\n\n{text}"
        made: list[Record | Reject] = []
        for piece in _pieces(text, self.max):
            columns = {"text": piece}
            if len(piece) < self.min:
                made.append(ctx.reject(columns, "too_short", len(piece), parents=[row]))
            else:
                made.append(ctx.row(columns, parents=[row], tags=row.tags))
        return made


def tidied(text: str) -> str:
    """The text without white space at line ends, and with one empty line at most in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()


def _pieces(text: str, most: int | None) -> Iterator[str]:
    if most is None:
        yield from [text] if text else []
        return
    for piece in packed(_parts(text, most), most, len):
        if stripped := piece.strip():
            yield stripped


def _parts(text: str, most: int) -> Iterator[str]:
    """Paragraphs, and the sentences of those that are too long."""
    for found in _PARAGRAPH.finditer(text):
        if len(found[0]) <= most:
            yield found[0]
        else:
            for sentence in sentences(found[0]):
                yield from cut(sentence, most, len)
