"""The texts that IFD scores: the answer after its question, and after next to nothing."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from sftrecipe.plugin import Record, join_thought
from sftrecipe_registry.shared.text.row_text import parted, spoken, trained_answer

PromptName = Literal["alpaca", "wizard", "vicuna", "plain"]
_TASK = "Below is an instruction that describes a task"
_ASKS = "Write a response that appropriately completes the request."
_RESPONSE = "### Response:"
_LAST_WORD = re.compile(r"[^\W_\u0e00-\u0eff\u2e80-\ua4cf\uf900-\ufaff]+$")
"""Letters and digits, but those of scripts that put no spaces between words."""
_VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. USER: "
)

DIRECT: dict[PromptName, str] = {
    "alpaca": _RESPONSE,
    "wizard": _RESPONSE,
    "vicuna": "ASSISTANT:",
    "plain": "",
}
"""What stands before the answer alone."""


class QuestionAndAnswer(NamedTuple):
    """A row as question and answer."""

    instruction: str
    input: str
    output: str


def question_and_answer(row: Record) -> QuestionAndAnswer:
    """The row's question and answer; of chat turns the last answer, and what was said before.

    A thought stands before the answer, as it is trained.
    """
    if "messages" not in row.columns and not row.columns.get("history"):
        answer = join_thought(row.text("reasoning"), row.text("output"))
        return QuestionAndAnswer(row.text("instruction"), row.text("input"), answer)
    return QuestionAndAnswer(spoken(parted(row.columns).before), "", trained_answer(row.columns))


def beginning(answer: str, most: int | None) -> str:
    """The answer's first characters, up to the end of a word that is written with spaces.

    A piece of a word is a token of its own, which no model expects there.
    """
    if most is None or len(answer) <= most:
        return answer
    cut = answer[:most]
    goes_on = _LAST_WORD.search(cut) and _LAST_WORD.search(answer[most])
    return (_LAST_WORD.sub("", cut).rstrip() if goes_on else cut) or cut


def question_prompt(name: PromptName, instruction: str, given: str) -> str:
    """The question as the model reads it, up to where the answer begins."""
    if name == "alpaca" and given:
        context = ", paired with an input that provides further context. "
        return (
            f"{_TASK}{context}{_ASKS}\n\n### Instruction:\n{instruction}\n\n"
            f"### Input:\n{given}\n\n{_RESPONSE}"
        )
    if name == "alpaca":
        return f"{_TASK}. {_ASKS}\n\n### Instruction:\n{instruction}\n\n{_RESPONSE}"
    if name == "wizard":
        more = f"\nInput:{given}" if given else ""
        return f"{instruction}{more}\n\n{_RESPONSE}"
    if name == "vicuna":
        more = f"\nInput:\n{given}" if given else ""
        return f"{_VICUNA}{instruction}{more} ASSISTANT:"
    return f"{instruction}\n{given}\n" if given else f"{instruction}\n"
