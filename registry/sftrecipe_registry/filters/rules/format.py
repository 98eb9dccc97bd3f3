"""Rows whose answers are well-formed: what is wrong with an answer by its form alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple
from unicodedata import category

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    KEEP,
    ColumnName,
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
from sftrecipe_registry.shared.text.row_text import answer_text, instruction_text, text_of
from sftrecipe_registry.shared.text.scripts import UNSPACED

texts = Texts(__package__)


class AnswerFault(NamedTuple):
    """What was found."""

    reason: str
    value: float | None = None
    detail: str = ""


_SELF = (
    r"(?:as an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|大模型))"
)
_SORRY = (
    r"(?:(?:i['’]?m|i am) (?:really |very |so )?sorry|sorry|unfortunately|my apologies"
    r"|i apologi[sz]e)"
)
_UNABLE = (
    r"i(?: can ?not| can['’]?t| am (?:not able|unable)|['’]?m (?:not able|unable)| won['’]?t"
    r"| will not| do not have| don['’]t have)"
    r" (?:be able to |to )?(?:the (?:ability|capability)|help|assist|provide|answer|comply|fulfil"
    r"|continue|create|generate|give|do that|do this|discuss|support|share|write|engage"
    r"|retrieve|access|determine|view|process)"
)
_UNABLE_ZH = r"(?:无法|不能|不便|没办法|没有办法|不可以)"
_REFUSAL = re.compile(
    rf"\W*(?:(?:{_SORRY}|{_SELF})?[^.!?。！？\n]{{0,40}}?\b{_UNABLE}"
    rf"|(?:(?:非常|很|十分|真的)?(?:抱歉|对不起|遗憾|不好意思)|{_SELF})[^。！？\n]{{0,20}}?{_UNABLE_ZH}"
    rf"|我{_UNABLE_ZH}(?:为(?:您|你))?(?:提供|回答|协助|帮助|满足|完成|继续|讨论|生成|参与))",
    re.IGNORECASE,
)
_AS_A_MODEL = re.compile(rf"\W*{_SELF}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？\n])")
_SHOWN = 80
_OPENING = 240
"""Characters at the beginning among which a refusal is looked for."""

_TOKENS = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_GRAM = 8
"""Tokens of a passage that counts as said again."""
_LINE = 8
"""Characters that a line has at least to count as said again."""

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_CODE = re.compile(r"^[ \t]*```.*?(?:^[ \t]*```[ \t]*$|\Z)|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_PAIRS = (("“", "”"), ("《", "》"), ("「", "」"), ("『", "』"), ("【", "】"))
_SHORTEST_COPY = 15
"""Characters of an instruction that is found in an answer by more than chance."""


def empty(answer: str) -> AnswerFault | None:
    """No letter, no digit and no symbol."""
    return None if any(map(_says, answer)) else AnswerFault("empty")


def _says(character: str) -> bool:
    return character.isalnum() or category(character)[0] == "S"


def refusal(answer: str) -> AnswerFault | None:
    """One of the first two sentences declines to answer; English and Chinese."""
    for sentence in _first_sentences(answer):
        if found := _REFUSAL.match(sentence):
            return AnswerFault("refusal", None, found[0].strip()[:_SHOWN])
    return None


def as_a_model(answer: str) -> AnswerFault | None:
    """One of the first two sentences begins with being a model; English and Chinese."""
    for sentence in _first_sentences(answer):
        if found := _AS_A_MODEL.match(sentence):
            return AnswerFault("as_a_model", None, found[0].strip())
    return None


def _first_sentences(answer: str) -> list[str]:
    return _SENTENCE_END.split(answer.lstrip()[:_OPENING], maxsplit=2)[:2]


def repeated_passages(most: float) -> Callable[[str], AnswerFault | None]:
    """Whether more than `most` of the words stand in passages of 8 that came before.

    Loops of one word are such passages too. Source: Rae et al. 2021, Gopher (arXiv 2112.11446),
    appendix A1: duplicate n-grams.
    """

    def check(answer: str) -> AnswerFault | None:
        tokens = _TOKENS.findall(answer)
        if len(tokens) <= _GRAM:
            return None
        seen: set[tuple[str, ...]] = set()
        again = end = 0
        for start, gram in enumerate(zip(*(tokens[at:] for at in range(_GRAM)), strict=False)):
            if gram in seen:
                again += start + _GRAM - max(end, start)
                end = start + _GRAM
            seen.add(gram)
        share = again / len(tokens)
        return AnswerFault("repetition", share, "share of words") if share > most else None

    return check


def repeated_line(most: int) -> Callable[[str], AnswerFault | None]:
    """Whether one line stands there more often than `most`; code does not count."""

    def check(answer: str) -> AnswerFault | None:
        if answer.count("\n") < most:
            return None
        lines = (line.strip() for line in _CODE.sub("", answer).splitlines())
        counts = Counter(line for line in lines if len(line) >= _LINE and not empty(line))
        line, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
        return AnswerFault("same_line", count, line[:_SHOWN]) if count > most else None

    return check


def unbalanced(answer: str) -> AnswerFault | None:
    """A code block without its end; brackets or Chinese quotation marks without their partners.

    Of round, square and curly brackets only missing ends count, of all kinds together: `1）` and
    `[0, 1)` are well.
    """
    fences = len(_FENCE.findall(answer))
    if fences % 2:
        return AnswerFault("unbalanced", fences, "```")
    text = _CODE.sub(" ", answer) if "`" in answer else answer
    for opening, closing in () if text.isascii() else _PAIRS:
        more = text.count(opening) - text.count(closing)
        if more:
            return AnswerFault("unbalanced", more, opening + closing)
    more = sum(map(text.count, "([{（")) - sum(map(text.count, ")]}）"))
    return AnswerFault("unbalanced", more, "brackets") if more > 0 else None


def copied(instruction: str, answer: str) -> AnswerFault | None:
    """The whole instruction stands in the answer."""
    wanted = " ".join(instruction.split())
    if len(wanted) < _SHORTEST_COPY or wanted not in " ".join(answer.split()):
        return None
    return AnswerFault("copied_instruction", len(wanted), wanted[:_SHOWN])


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

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cut_off": ("rules",),
        "empty": ("rules",),
        "refusal": ("rules",),
        "as_a_model": ("rules",),
        "copied_instruction": ("rules",),
        "unbalanced": ("rules",),
        "same_line": ("same_line",),
        "repetition": ("repetition",),
    }
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
            yield OptionProblem(("rules",), texts("no-rule"))

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        answer = text_of(self.field, answer_text)(row)
        checks = ctx.once("checks", self._checks)
        for rule in self.rules:
            if fault := checks[rule](row, answer):
                return Verdict(False, *fault)
        return KEEP

    def _checks(self) -> dict[Rule, Callable[[Record, str], AnswerFault | None]]:
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


def _cut_off(row: Record) -> AnswerFault | None:
    told = row.columns.get("finish_reason") or row.tags.get("finish_reason")
    if not isinstance(told, str) or not is_cut_off(told):
        return None
    return AnswerFault("cut_off", None, told[:80])


def _copied(row: Record, answer: str) -> AnswerFault | None:
    instruction = instruction_text(row)
    return None if instruction == row.text("text") else copied(instruction, answer)
