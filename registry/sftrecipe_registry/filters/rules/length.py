"""Rows of a sensible length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Annotated, ClassVar

from annotated_types import Ge

from sftrecipe.plugin import (
    KEEP,
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.asked import answered_text
from sftrecipe_registry.shared.text.row_text import Field, TextOf, text_of
from sftrecipe_registry.shared.text.scripts import count_words

texts = Texts(__package__)

Limit = Annotated[int, Ge(0)]


class Length(RowFilter):
    """Keep rows whose answer is neither too short nor too long, in characters or words.

    The paper's limits are of instructions: `{field: instruction, min_words: 4, max_words: 150}`;
    in Chinese, where a character counts as a word, that is `min_words: 6, max_words: 240`. Of
    Alpaca's answers 99 in 100 have 1 to 400 words (Chinese: 3 to 410). Rejects `too_short` and
    `too_long` with the measured length.
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = (
        "Self-Instruct (arXiv 2212.10560), section 2.2: instructions of 4 to 150 words"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "too_short": ("min_chars", "min_words"),
        "too_long": ("max_chars", "max_words"),
    }
    example: ClassVar[str] = (
        "{use: length, with: {field: instruction, min_words: 4, max_words: 150}}"
    )

    field: Field = None
    """Column, or list of columns whose texts are joined; left out: the answer (`output`, `chosen`
    or the last turn of the assistant), empty too; of rows with no place for one the instruction,
    else the text."""
    min_chars: Limit | None = None
    """Characters (Unicode code points) at least."""
    max_chars: Limit | None = None
    """Characters (Unicode code points) at most."""
    min_words: Limit | None = None
    """Words at least: split at white space, each Chinese or Japanese character one word."""
    max_words: Limit | None = None
    """Words at most, counted in the same way."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No limit at all, or a minimum above its maximum."""
        limits = (self.min_chars, self.max_chars, self.min_words, self.max_words)
        if all(limit is None for limit in limits):
            yield OptionProblem(
                (),
                texts("no-limit"),
                texts("set-limit"),
            )
        for unit in ("chars", "words"):
            low, high = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
            if low is not None and high is not None and low > high:
                yield OptionProblem(
                    (f"min_{unit}",),
                    texts("least-above-most", unit=unit, low=low, high=high),
                )

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order."""
        read = self._text_of()
        low = self.min_chars or 0
        high = inf if self.max_chars is None else self.max_chars
        words = self.min_words is not None or self.max_words is not None
        for row in rows:
            text = read(row)
            yield KEEP if not words and low <= len(text) <= high else self._verdict(text)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        return self._verdict(self._text_of()(row))

    def _text_of(self) -> TextOf:
        return text_of(self.field, answered_text)

    def _verdict(self, text: str) -> Verdict:
        if self.min_chars is not None and len(text) < self.min_chars:
            return Verdict(False, "too_short", len(text), "chars")
        if self.max_chars is not None and len(text) > self.max_chars:
            return Verdict(False, "too_long", len(text), "chars")
        if self.min_words is not None or self.max_words is not None:
            words = count_words(text)
            if self.min_words is not None and words < self.min_words:
                return Verdict(False, "too_short", words, "words")
            if self.max_words is not None and words > self.max_words:
                return Verdict(False, "too_long", words, "words")
        return KEEP
