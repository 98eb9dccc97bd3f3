"""Rows whose answers are well-formed: what is wrong with an answer by its form alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple

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
    is_cut_off,
)
from sftrecipe_registry.filters.format.answer_faults import (
    AnswerFault,
    as_a_model,
    copied,
    empty,
    same_line,
    unbalanced,
)
from sftrecipe_registry.filters.format.placeholders import asks_for_signs, placeholder
from sftrecipe_registry.filters.format.refusals import refusal
from sftrecipe_registry.filters.format.repetitions import repeated
from sftrecipe_registry.filters.format.unfinished_ends import unfinished
from sftrecipe_registry.shared.text.asked import answered_text, asked_text
from sftrecipe_registry.shared.text.row_text import Field, of_turns, text_of

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


class _Seen(NamedTuple):
    """A row as the rules see it."""

    row: Record
    whole: str
    """The question."""
    asked: str
    """Its beginning and end, where it is long."""
    answer: str
    answers: bool
    """Whether it is an answer, not a text or an instruction by itself."""


_ENDS = 4_000
"""Characters of a question's beginning and end that the rules look at."""

Check = Callable[[_Seen], AnswerFault | None]


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
        answer = text_of(self.field, answered_text)(row)
        answers = self.field is not None or _answers(row)
        asked = _asked(row) if answers else ""
        seen = _Seen(row, asked, _ends(asked), answer, answers)
        checks = ctx.once("checks", self._checks)
        for rule in self.rules:
            if fault := checks[rule](seen):
                return Verdict(False, *fault)
        return KEEP

    def _checks(self) -> dict[Rule, Check]:
        return {
            "cut_off": _cut_off,
            "empty": _empty,
            "placeholder": _placeholder,
            "refusal": _refusal,
            "as_a_model": lambda seen: as_a_model(seen.asked, seen.answer),
            "unfinished": _unfinished,
            "copied_instruction": lambda seen: copied(seen.whole, seen.answer),
            "unbalanced": lambda seen: unbalanced(seen.answer),
            "same_line": lambda seen: same_line(seen.asked, seen.answer, self.same_line),
            "repetition": self._repetition,
        }

    def _repetition(self, seen: _Seen) -> AnswerFault | None:
        found = repeated(seen.asked, seen.answer, self.repetition)
        return AnswerFault("repetition", *found) if found else None


def _answers(row: Record) -> bool:
    columns = row.columns
    return "output" in columns or "chosen" in columns or bool(columns.get("messages"))


def _asked(row: Record) -> str:
    """What the answer answers: of a conversation the last question."""
    if row.columns.get("instruction") or row.columns.get("input"):
        return asked_text(row)
    return of_turns(row.columns, "instruction") or asked_text(row)


def _ends(asked: str) -> str:
    """Beginning and end of a question: what is asked for stands there, before or behind a text."""
    if len(asked) <= 2 * _ENDS:
        return asked
    return f"{asked[:_ENDS]}\n{asked[-_ENDS:]}"


def _cut_off(seen: _Seen) -> AnswerFault | None:
    told = seen.row.columns.get("finish_reason") or seen.row.tags.get("finish_reason")
    if not isinstance(told, str) or not is_cut_off(told):
        return None
    return AnswerFault("cut_off", None, told[:80])


def _empty(seen: _Seen) -> AnswerFault | None:
    """Nothing at all, or marks where no marks are asked for."""
    fault = empty(seen.answer)
    return (
        None if fault and seen.answer.strip() and asks_for_signs(seen.asked, seen.answer) else fault
    )


def _placeholder(seen: _Seen) -> AnswerFault | None:
    found = placeholder(seen.asked, seen.answer)
    return AnswerFault("placeholder", None, found) if found else None


def _refusal(seen: _Seen) -> AnswerFault | None:
    """None in rows with tools: what cannot be done there is said rightly."""
    found = refusal(seen.asked, seen.answer)
    if found is None or _has_tools(seen.row):
        return None
    return AnswerFault("refusal", round(found.probability, 3), found.sentence)


def _has_tools(row: Record) -> bool:
    if row.columns.get("tools") not in (None, "", "[]", []):
        return True
    turns = row.columns.get("messages") or ()
    return any(turn.get("tool_calls") or turn.get("role") == "tool" for turn in turns)


def _unfinished(seen: _Seen) -> AnswerFault | None:
    found = unfinished(seen.asked, seen.answer) if seen.answers else None
    return AnswerFault("unfinished", None, found) if found else None
