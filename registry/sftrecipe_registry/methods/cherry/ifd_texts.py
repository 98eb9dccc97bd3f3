"""The texts that IFD scores: the answer after its question, and after next to nothing."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sftrecipe.plugin import Record, join_thought
from sftrecipe_registry.shared.text.row_text import parted, spoken, trained_answer

PromptName = Literal["alpaca", "wizard", "vicuna", "plain"]
_TASK = "Below is an instruction that describes a task"
_ASKS = "Write a response that appropriately completes the request."
_RESPONSE = "### Response:"
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
