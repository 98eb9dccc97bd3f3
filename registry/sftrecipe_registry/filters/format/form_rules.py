"""The rules of the filter `format`, and a row as they see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sftrecipe.plugin import Record, is_cut_off
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


class SeenRow(NamedTuple):
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

Check = Callable[[SeenRow], AnswerFault | None]


def seen_row(row: Record, field: Field) -> SeenRow:
    """The row with its question and answer."""
    answer = text_of(field, answered_text)(row)
    answers = field is not None or _answers(row)
    asked = _asked(row) if answers else ""
    return SeenRow(row, asked, _ends(asked), answer, answers)


def form_rules(most_lines: int, most_repeated: float) -> Mapping[str, Check]:
    """Every rule by its name."""

    def _repetition(seen: SeenRow) -> AnswerFault | None:
        found = repeated(seen.asked, seen.answer, most_repeated)
        return AnswerFault("repetition", *found) if found else None

    return {
        "cut_off": _cut_off,
        "empty": _empty,
        "placeholder": _placeholder,
        "refusal": _refusal,
        "as_a_model": lambda seen: as_a_model(seen.asked, seen.answer),
        "unfinished": _unfinished,
        "copied_instruction": lambda seen: copied(seen.whole, seen.answer),
        "unbalanced": lambda seen: unbalanced(seen.answer),
        "same_line": lambda seen: same_line(seen.asked, seen.answer, most_lines),
        "repetition": _repetition,
    }


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


def _cut_off(seen: SeenRow) -> AnswerFault | None:
    told = seen.row.columns.get("finish_reason") or seen.row.tags.get("finish_reason")
    if not isinstance(told, str) or not is_cut_off(told):
        return None
    return AnswerFault("cut_off", None, told[:80])


def _empty(seen: SeenRow) -> AnswerFault | None:
    """Nothing at all, or marks where no marks are asked for."""
    fault = empty(seen.answer)
    return (
        None if fault and seen.answer.strip() and asks_for_signs(seen.asked, seen.answer) else fault
    )


def _placeholder(seen: SeenRow) -> AnswerFault | None:
    found = placeholder(seen.asked, seen.answer)
    return AnswerFault("placeholder", None, found) if found else None


def _refusal(seen: SeenRow) -> AnswerFault | None:
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


def _unfinished(seen: SeenRow) -> AnswerFault | None:
    found = unfinished(seen.asked, seen.answer) if seen.answers else None
    return AnswerFault("unfinished", None, found) if found else None
