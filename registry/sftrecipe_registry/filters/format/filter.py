"""Rows whose answers are well-formed: what is wrong with an answer by its form alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    KEEP,
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.row_text import Field

if TYPE_CHECKING:
    from sftrecipe_registry.filters.format.form_rules import Check, SeenRow

texts = Texts(__package__)

Rule = Literal[
    "cut_off",
    "empty",
    "placeholder",
    "refusal",
    "as_a_model",
    "unfinished",
    "copied_instruction",
    "unbalanced",
    "same_line",
    "repetition",
]


class Format(RowFilter):
    """Drop rows whose answer is empty, stops short, refuses, repeats itself or stands for none.

    Each rule is a reason of rejects: `cut_off`, where the column or tag `finish_reason` tells of
    it; `empty`: no letter, digit or symbol; `placeholder`: `N/A`, `TODO`, 略, open templates,
    where that is no right answer; `refusal`: it declines and little else follows, not in rows
    with tools; `as_a_model`: it begins with `As an AI …`, and nobody asked about models;
    `unfinished`: it stops amidst a sentence, list, bracket, table or code; `copied_instruction`:
    most of it is the instruction; `unbalanced`: code fences, brackets, Chinese quotation marks;
    `same_line`: a line again and again; `repetition`: loops, repeated or rotating sentences, where
    no song, drill or table was asked for. English and Chinese. The first rule that is broken
    counts, in the order of `rules`. Of chat turns the last answer is looked at.
    """

    version: ClassVar[str] = "3"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cut_off": ("rules",),
        "empty": ("rules",),
        "placeholder": ("rules",),
        "refusal": ("rules",),
        "as_a_model": ("rules",),
        "unfinished": ("rules",),
        "copied_instruction": ("rules",),
        "unbalanced": ("rules",),
        "same_line": ("same_line",),
        "repetition": ("repetition",),
    }
    example: ClassVar[str] = "{use: format, with: {rules: [empty, refusal, repetition]}}"

    rules: tuple[Rule, ...] = (
        "cut_off",
        "empty",
        "placeholder",
        "same_line",
        "repetition",
        "refusal",
        "copied_instruction",
        "unfinished",
        "unbalanced",
    )
    """What is looked for; `as_a_model` only where it is named: good answers begin so, too."""
    field: Field = None
    """The answer's column, or list of columns whose texts are joined; left out: `output`, the last
    assistant turn, of rows without either the instruction or the text."""
    same_line: Annotated[int, Gt(0)] = 5
    """Times that one line of at least 8 characters may stand in an answer; code does not count."""
    repetition: Annotated[float, Ge(0), Le(1)] = 0.3
    """Share of an answer that may say again what came before; loops are rejected below it, too."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No rule at all."""
        if not self.rules:
            yield OptionProblem(("rules",), texts("no-rule"))

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        seen_row, rules = ctx.once("rules", self._rules)
        seen = seen_row(row, self.field)
        for rule in self.rules:
            if fault := rules[rule](seen):
                return Verdict(False, *fault)
        return KEEP

    def _rules(self) -> tuple[Callable[[Record, Field], SeenRow], Mapping[str, Check]]:
        # a quarter of what checking a recipe takes: hundreds of regular expressions
        from sftrecipe_registry.filters.format.form_rules import (  # noqa: PLC0415
            form_rules,
            seen_row,
        )

        return seen_row, form_rules(self.same_line, self.repetition)
