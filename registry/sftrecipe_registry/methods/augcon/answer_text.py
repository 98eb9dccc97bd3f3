"""Reading AugCon's replies: the answer after its reasoning, and a judge's yes or no."""

from __future__ import annotations

import re
from typing import NamedTuple

_ANSWER = re.compile(r"^[ \t>*#_\-]*(?:answer|回答|答案)[ \t*_]*[:：][ \t*_]*", re.I | re.M)
_REASONING = re.compile(r"^[ \t>*#_\-]*(?:reasoning|推理)[ \t*_]*[:：][ \t*_]*", re.I | re.M)
_NEXT = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*$|(?:context|question|语境|上下文|问题)[ \t]*[:：])", re.I | re.M
)
_AGREES = re.compile(
    r"(?P<no>\b(?:no|not)\b|不|否|没有)|(?P<yes>\byes\b|是|一致|相符|对)", re.IGNORECASE
)


class Answered(NamedTuple):
    """What a reply holds; the answer is empty where there is none."""

    reasoning: str
    answer: str


def find_answer(text: str, *, reasoning: bool) -> Answered:
    """The answer of a reply, and the reasoning before it.

    The reply goes on from the prompt's label or repeats it; the next example that a model makes up
    is cut off. With `reasoning`, what has no label `Answer:` is no answer. Never raises.
    """
    said = text.strip()
    if first := _NEXT.search(said):
        said = said[: first.start()].strip()
    labels = list(_ANSWER.finditer(said))
    if labels:
        thought = _REASONING.sub("", said[: labels[0].start()], count=1).strip()
        return Answered(thought, said[labels[0].end() :].strip())
    if reasoning:
        return Answered(_REASONING.sub("", said, count=1).strip(), "")
    return Answered("", said)


def agrees(text: str) -> bool | None:
    """Whether a judge's reply begins with yes or with no, as whole words; None: neither."""
    found = _AGREES.search(text)
    return None if found is None else found["yes"] is not None
