"""Rows without unwanted words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from sftrecipe.plugin import (
    KEEP,
    Context,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.blacklist.beyond_text import beyond_text
from sftrecipe_registry.shared.text.asked import asked_text
from sftrecipe_registry.shared.text.instruction_rules import Rules, fault_finder
from sftrecipe_registry.shared.text.row_text import MEDIA, Field, TextOf, instruction_text, text_of
from sftrecipe_registry.shared.text.widths import one_width
from sftrecipe_registry.shared.text.word_list import can_be_found, word_finder

texts = Texts(__package__)


class Blacklist(RowFilter):
    """Drop rows that ask for what is unwanted, or whose instruction Self-Instruct would drop.

    Looked at is what is asked: an answer may well say `picture`. Rejects `blacklisted` with the
    word. With a `preset` also `empty`, `too_short`, `too_long`, `write_a_program`,
    `punctuation_first` and `non_ascii_first`.
    """

    version: ClassVar[str] = "3"
    paper: ClassVar[str] = (
        "Self-Instruct (arXiv 2212.10560), bootstrap_instructions.py; "
        "Stanford Alpaca, generate_instruction.py"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "blacklisted": ("words", "file", "preset", "builtin"),
        "empty": ("preset",),
        "too_short": ("preset",),
        "too_long": ("preset",),
        "write_a_program": ("preset",),
        "punctuation_first": ("preset",),
        "non_ascii_first": ("preset",),
    }
    example: ClassVar[str] = (
        "{use: blacklist, with: {field: output, words: [as an AI, 作为一个人工智能]}}"
    )

    field: Field = None
    """Column, or list of columns whose texts are joined, such as `output` for words that no answer
    may hold; left out: the instruction and its input, or all turns of the user; for a preset the
    instruction alone."""
    words: tuple[str, ...] = ()
    """Unwanted words and phrases, upper and lower case and full and half width alike. Chinese and
    Japanese ones match anywhere, others only by themselves: `art` is not found in `start`. Each
    holds a letter or digit: marks alone are for the filter `regex`."""
    file: InputFile | None = None
    """A file of more of them, one a line; lines that begin with `#` do not count."""
    preset: Rules | None = None
    """All heuristics of `self_instruct` or `alpaca` on an English instruction: 4 to 150 words, none
    that asks for images, files or the like, not beginning with "Write a program", with punctuation
    or with a character beyond ASCII (which drops all Chinese)."""
    builtin: bool | None = None
    """Whether to drop what asks a model of text to see, hear, open or draw something as well,
    English and Chinese; not of rows that show images, videos or audios. Left out: only where
    neither `words`, `file` nor `preset` is given."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; words that cannot be found as they are meant."""
        if self.builtin is False and not (self.words or self.file or self.preset):
            yield OptionProblem(("builtin",), texts("no-words"), texts("set-word-list"))
        for place, word in enumerate(self.words):
            if not can_be_found(word):
                yield _no_word(("words", place), word)
        for line in self._read(files):
            if line and not can_be_found(line):
                yield _no_word(("file",), line)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        read, test = ctx.once("test", lambda: (self._text_of(), self._test(ctx)))
        text = read(row)
        verdict = test(text)
        if not verdict.keep or not self._uses_builtin() or any(map(row.columns.get, MEDIA)):
            return verdict
        found = beyond_text(text)
        return Verdict(False, "blacklisted", None, found) if found else KEEP

    def _text_of(self) -> TextOf:
        return text_of(self.field, instruction_text if self.preset else asked_text)

    def _test(self, ctx: Context) -> Callable[[str], Verdict]:
        find = word_finder(map(one_width, (*self.words, *self._of_file(ctx.files))))
        fault = fault_finder(self.preset) if self.preset else lambda text: None

        def test(text: str) -> Verdict:
            if found := fault(text):
                return Verdict(False, found.reason, found.value, found.detail)
            if word := find(one_width(text)):
                return Verdict(False, "blacklisted", None, word)
            return KEEP

        return test

    def _read(self, files: OptionFiles) -> list[str]:
        """The lines, as far as the file can be read: `validate` tells of one that cannot."""
        try:
            return self._of_file(files)
        except (OSError, ValueError):
            return []

    def _of_file(self, files: OptionFiles) -> list[str]:
        if not self.file:
            return []
        lines = map(str.strip, files.text(self.file).splitlines())
        return [line for line in lines if not line.startswith("#")]

    def _uses_builtin(self) -> bool:
        if self.builtin is None:
            return not (self.words or self.file or self.preset)
        return self.builtin


def _no_word(place: tuple[str | int, ...], word: str) -> OptionProblem:
    remedy = texts("use-regex", pattern=re.escape(word.strip())) if word.strip() else None
    return OptionProblem(place, texts("no-letter", word=word), remedy or texts("take-out"))
