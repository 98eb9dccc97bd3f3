"""Rows whose answers are well-formed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe import KEEP, Context, Record, RowFilter, Verdict
from sftrecipe.kinds import Inputs, OptionFiles, OptionProblem, is_cut_off
from sftrecipe.options import ColumnName
from sftrecipe_registry.filters.rules.answer_faults import (
    Fault,
    as_a_model,
    copied,
    empty,
    refusal,
    repeated_line,
    repeated_passages,
    unbalanced,
)
from sftrecipe_registry.shared.text.row_text import answer_text, instruction_text, text_of

Rule = Literal[
    "cut_off",
    "empty",
    "refusal",
    "as_a_model",
    "copied_instruction",
    "unbalanced",
    "same_line",
    "repetition",
]


class Format(RowFilter):
    """Drop rows whose answer is cut off, empty, a refusal, a loop or otherwise malformed.

    Each rule is a reason of rejects: `cut_off`, where the column or tag `finish_reason` tells of
    it; `empty`: no letter, digit or symbol; `refusal` and `as_a_model` (`As an AI …`), in the first
    two sentences, English and Chinese; `copied_instruction`: all of it stands in the answer;
    `unbalanced`: code fences, brackets, Chinese quotation marks; `same_line`: a line again and
    again; `repetition`: passages of eight words (or Chinese characters) again and again. The first
    rule that is broken counts, in the order of `rules`. Of chat turns the last answer is looked at.
    """

    example: ClassVar[str] = "{use: format, with: {rules: [empty, refusal, repetition]}}"

    rules: tuple[Rule, ...] = (
        "cut_off",
        "empty",
        "refusal",
        "as_a_model",
        "copied_instruction",
        "unbalanced",
        "same_line",
        "repetition",
    )
    """What is looked for."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
    """The answer's column, or list of columns whose texts are joined; left out: `output`, the last
    assistant turn, of rows without either the instruction or the text."""
    same_line: Annotated[int, Gt(0)] = 5
    """Times that one line of at least 8 characters may stand in an answer; code does not count."""
    repetition: Annotated[float, Ge(0), Le(1)] = 0.3
    """Share of the words that may stand in passages that came before."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No rule at all."""
        if not self.rules:
            yield OptionProblem(("rules",), "filter 'format' has no rule")

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        answer = text_of(self.field, answer_text)(row)
        checks = ctx.once("checks", self._checks)
        for rule in self.rules:
            if fault := checks[rule](row, answer):
                return Verdict(False, *fault)
        return KEEP

    def _checks(self) -> dict[Rule, Callable[[Record, str], Fault | None]]:
        passages, line = repeated_passages(self.repetition), repeated_line(self.same_line)
        return {
            "cut_off": lambda row, answer: _cut_off(row),
            "empty": lambda row, answer: empty(answer),
            "refusal": lambda row, answer: refusal(answer),
            "as_a_model": lambda row, answer: as_a_model(answer),
            "copied_instruction": _copied,
            "unbalanced": lambda row, answer: unbalanced(answer),
            "same_line": lambda row, answer: line(answer),
            "repetition": lambda row, answer: passages(answer),
        }


def _cut_off(row: Record) -> Fault | None:
    told = row.columns.get("finish_reason") or row.tags.get("finish_reason")
    if not isinstance(told, str) or not is_cut_off(told):
        return None
    return Fault("cut_off", None, told[:80])


def _copied(row: Record, answer: str) -> Fault | None:
    instruction = instruction_text(row)
    return None if instruction == row.text("text") else copied(instruction, answer)
