"""Cutting a user's turn out of what a model wrote beyond it: Magpie's rules, by model family.

Source: github.com/magpie-align/magpie, `exp/str_utils.py`; the numbers of the rules are its.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Rules = Literal["gemma2", "llama3"]

_LABELS = (
    "Task|Prompt|Original Prompt|Question|The Problem|Problem|Scenario|The senario|The scenario|"
    "Situation|The situation|Context|Challenge|Query|Request|Instructions|Instruction|"
    "Descriptions|Description"
)
_PREFIX = re.compile(
    rf"(?:(?:## )?(?:{_LABELS}):|\*\*(?:{_LABELS})\*\*|Question \d+[:.]|Part \d+:|Q\d+[:.])\s*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:\d+\.(?!\d)|\w+\))\s*")
_MARKERS = (
    "Answer|The answer is|Correct answer|The correct answer|Answer is|Explanation|Here are some|"
    "Solution Approach|Solution"
)
_ANSWER = re.compile(rf"\b(?:{_MARKERS})s?:")
_STEP = re.compile(r"#{1,3} Step 1:?")


class Sanitised(NamedTuple):
    """What is left, and the number of the rule that applied."""

    text: str
    rule: str


def sanitised(text: str, rules: Rules) -> Sanitised:
    """The question alone: without label and numbering, cut at an answer, a step or its end.

    Differs from the released code where that is plainly not what it means: an answer's marker needs
    one colon, not two; the tags of `<b>` are taken away; `1.5 litres` does not lose its 1; `**`
    goes where it stands alone. Never raises.
    """
    text = _bare(text)
    if text.startswith("*") and "?" in text:
        return Sanitised(_bare(_question(text).replace("*", "")), "1")
    found = _cut(_bare(text), rules)
    return Sanitised(_bare(found.text), found.rule)


def _cut(text: str, rules: Rules) -> Sanitised:
    if text.startswith('"'):
        if "?" in text:
            return Sanitised(_question(text).replace('"', ""), "2.1")
        return Sanitised(_first_line(text).replace('"', "").replace("*", ""), "2.2")
    if text.startswith("<b>"):
        plain = _first_line(text).replace("<b>", "").replace("</b>", "")
        return Sanitised(plain.replace("*", ""), "3")
    answer, step = _ANSWER.search(text), _STEP.search(text)
    if answer:
        return Sanitised(_paired(text[: answer.start()]), "4")
    if step and rules == "llama3":
        return Sanitised(_paired(text[: step.start()]), "5")
    return _question_of(text, rules)


def _question_of(text: str, rules: Rules) -> Sanitised:
    opened, other = ("5", "6") if rules == "gemma2" else ("6", "99")
    if not _first_line(text).endswith(":"):
        return _question_or_line(text, f"{other}.1", f"{other}.2")
    if "#" in text:
        return Sanitised(_paired(text.partition("#")[0]), f"{opened}.1")
    return _question_or_line(text, f"{opened}.2", f"{opened}.3")


def _question_or_line(text: str, of_question: str, of_line: str) -> Sanitised:
    if "?" in text:
        return Sanitised(_paired(_question(text)), of_question)
    return Sanitised(_first_line(text).replace("*", ""), of_line)


def _bare(text: str) -> str:
    """Without numbering, then without a label."""
    text = text.strip()
    if number := _NUMBER.match(text):
        text = text[number.end() :].strip()
    if prefix := _PREFIX.match(text):
        text = text[prefix.end() :].strip()
    return text


def _question(text: str) -> str:
    return text.partition("?")[0].strip() + "?"


def _first_line(text: str) -> str:
    return text.partition("\n")[0].strip()


def _paired(text: str) -> str:
    """Without `**` where one of a pair was cut away."""
    return text.replace("**", "").strip() if text.count("**") % 2 else text.strip()
