"""Evolving texts: which operation is drawn, and reading what a rewriter wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sftrecipe.plugin import Context

Operation = TypeVar("Operation", bound=str)

_HEADING = re.compile(
    r"(?:\A|\n)\W{0,40}"
    r"(?:(?:re-?written|created|new|evolved)\s*prompt|better answer|rewritten answer|"
    r"改写后的提示|创作的提示|新提示|更好的回答|新回答)\W{0,40}?[:：][*_#]*\s*",
    re.IGNORECASE,
)
"""Bounded: each of many line breaks would look through all that follow."""
_SCAFFOLD = re.compile(
    r"given[ _]prompt|rewritten[ _]prompt|created[ _]prompt|new[ _]prompt\s*[:：]|given[ _]answer|"
    r"给定的?提示|改写后的?提示|创作的提示",
    re.IGNORECASE,
)
_STOP_WORDS = re.compile(
    r"(?:an?|the|and|or|but|if|of|to|in|on|at|by|for|with|from|as|is|are|was|were|be|been|it|this|"
    r"that|these|those|i|you|he|she|we|they|not?|yes|so|do|does|did|have|has|had|can|will|would)\Z"
)
_STOP_CHARACTERS = frozenset("的了和是在有我你他她它们这那不也就都而及与或吗呢吧啊")
_SORRY = re.compile(r"\bsorry\b|抱歉|对不起", re.IGNORECASE)
_SHORT = 80
"""Words, or Chinese characters, below which an apology is a refusal."""


def drawn(weights: Mapping[Operation, float], ctx: Context, *salt: object) -> Operation:
    """One of the operations, in proportion to the weights; the same in every run."""
    point = ctx.number("operation", *salt) / 2**64 * sum(weights.values())
    for operation, weight in weights.items():
        point -= weight
        if point < 0:
            return operation
    return operation


def evolved_text(reply: str) -> str:
    """What a rewriter wrote, without a heading: the text after the last one."""
    headings = list(_HEADING.finditer(reply))
    return reply[headings[-1].end() if headings else 0 :].strip()


def scaffold_in(text: str) -> str | None:
    """Words of the rewriting prompt that the text copies (WizardLM, elimination rule 4)."""
    found = _SCAFFOLD.search(text)
    return found[0] if found else None


def is_refusal(answer: str, words: int) -> bool:
    """An apology of few words (rule 2)."""
    return words < _SHORT and _SORRY.search(answer) is not None


def says_nothing(answer: str) -> bool:
    """Only punctuation and stop words (rule 3)."""
    words = re.findall(r"\w+", answer.lower())
    return all(_STOP_WORDS.match(word) or set(word) <= _STOP_CHARACTERS for word in words)


def judged_equal(reply: str) -> bool | None:
    """The judge's word on two prompts (rule 1): "not equal" is looked for before "equal".

    None where it says neither.
    """
    text = reply.lower()
    if re.search(r"not\W{0,8}(?:equal|the same)|unequal|different|不相?同|不一样", text):
        return False
    return True if re.search(r"\bequal\b|\bthe same\b|相同|一样", text) else None
