"""Faults of an answer that need no knowledge of language: empty, copied, a line again, partners."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple
from unicodedata import category

from sftrecipe_registry.filters.format.open_syntax import CODE, is_code, left_open, open_fence
from sftrecipe_registry.filters.format.repetitions import repetition_is_wanted


class AnswerFault(NamedTuple):
    """What was found."""

    reason: str
    value: float | None = None
    detail: str = ""


_MODEL = re.compile(
    r"\W*(?:as an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|大模型))",
    re.IGNORECASE,
)
_ABOUT_MODELS = re.compile(
    r"\b(?:ai|chatbots?|language models?|assistants?|who are you|are you|do you have|translate"
    r"|rewrite|gpt\w*)\b"
    r"|AI|人工智能|语言模型|机器人|助手|你是|翻译|改写",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？\n])")
_OPENING = 240
"""Characters at the beginning among which a model speaks of itself."""
_SHOWN = 80
_LINE = 8
"""Characters that a line has at least to count as said again."""
_SHORTEST_COPY = 15
"""Characters of an instruction that is found in an answer by more than chance."""
_COPIED = 0.5
"""Share of the answer that the instruction is at least: more answers it after repeating it."""
_KEEPS_TEXT = re.compile(
    r"\b(?:correct|fix|edit|proofread|repeat|rewrite|translate|punctuat\w+|grammar"
    r"|capitali[sz]e|format|complete"
    r"|continue|fill|convert|summari[sz]e|quote|copy|insert|add|replace|classify|identify"
    r"|highlight)\b"
    r"|改|润色|校对|重复|翻译|标点|补全|续写|填|转换|格式|引用|抄|插入|替换|加上|标出",
    re.IGNORECASE,
)


def empty(answer: str) -> AnswerFault | None:
    """No letter, no digit and no symbol."""
    return None if any(map(_says, answer)) else AnswerFault("empty")


def _says(character: str) -> bool:
    return character.isalnum() or category(character)[0] == "S"


def as_a_model(asked: str, answer: str) -> AnswerFault | None:
    """One of the first two sentences begins with being a model, and nobody asked about models."""
    for sentence in _SENTENCE_END.split(answer.lstrip()[:_OPENING], maxsplit=2)[:2]:
        found = _MODEL.match(sentence)
        if found and not _ABOUT_MODELS.search(asked):
            return AnswerFault("as_a_model", None, found[0].strip())
    return None


def same_line(asked: str, answer: str, most: int) -> AnswerFault | None:
    """One line stands there more often than `most`; not in code, songs, drills and tables."""
    if answer.count("\n") < most:
        return None
    said = CODE.sub("", answer) if "`" in answer else answer
    lines = [*map(str.strip, said.splitlines())]
    if len(lines) - len(set(lines)) < most:
        return None
    counts = Counter(line for line in lines if len(line) >= _LINE and not empty(line))
    line, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if count <= most or is_code(answer) or repetition_is_wanted(asked):
        return None
    return AnswerFault("same_line", count, line[:_SHOWN])


def unbalanced(answer: str) -> AnswerFault | None:
    """A code block without its end; a bracket or Chinese quotation mark without its partner.

    Only missing ends count; `1)`, `[0, 1)`, smileys, formulas and code are well.
    """
    if open_fence(answer):
        return AnswerFault("unbalanced", 1, "```")
    mark = left_open(answer)
    return AnswerFault("unbalanced", 1, mark) if mark and not is_code(answer) else None


def copied(asked: str, answer: str) -> AnswerFault | None:
    """The whole instruction stands in the answer and is most of it, where it is not to be kept."""
    if len(asked) < _SHORTEST_COPY or len(answer) * _COPIED > len(asked):
        return None
    wanted = " ".join(asked.split())
    if len(wanted) < _SHORTEST_COPY or len(answer) * _COPIED > len(wanted):
        return None
    if wanted not in " ".join(answer.split()) or _KEEPS_TEXT.search(wanted):
        return None
    return AnswerFault("copied_instruction", len(wanted), wanted[:_SHOWN])
