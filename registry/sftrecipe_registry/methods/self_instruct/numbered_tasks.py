"""Reading whole tasks, instruction with input and output, out of one reply: Alpaca's form."""

from __future__ import annotations

import re
from typing import NamedTuple

from sftrecipe.plugin import is_cut_off
from sftrecipe_registry.methods.self_instruct.growing_pool import Candidates

_FIELD = re.compile(
    r"(?m)^[ \t]*(?:#{3,}\s*)?\d{1,3}\s*[.．、)）]\s*"
    r"(Instruction|Input|Output|指令|输入|输出)\s*[:：]"
)
_ENGLISH = {"指令": "Instruction", "输入": "Input", "输出": "Output"}
_WHOLE = (["Instruction", "Input", "Output"], ["Instruction", "Output"])
_NO_INPUT = "<noinput>"


class _Field(NamedTuple):
    name: str
    text: str


def parse_tasks(
    text: str, *, first: int, finish_reason: str = "stop", continues: bool = True
) -> Candidates:
    """The tasks of a reply, each with a number before its instruction, its input and its output.

    `continues`: the prompt ended with `first`. `Instruction:`, so the text begins inside it; what
    stands before the first field otherwise is a `preamble`. Fields are told by their names,
    English or Chinese, and numbers need not go on without a gap; a task that lacks one or has it
    twice is `malformed`. The last task of a reply that was cut off is `cut_off`.
    """
    if continues and not _FIELD.match(text.lstrip()):
        text = f"{first}. Instruction:{text}"
    preamble, *pieces = _FIELD.split(text)
    found = Candidates([], [])
    if preamble := _without_rule(preamble):
        found.lost.append(("preamble", preamble))
    tasks: list[list[_Field]] = []
    for name, content in zip(pieces[::2], pieces[1::2], strict=True):
        field = _Field(_ENGLISH.get(name, name), _without_rule(content))
        if field.name == "Instruction" or not tasks:
            tasks.append([])
        tasks[-1].append(field)
    for at, task in enumerate(tasks):
        written = "\n".join(field.text for field in task)
        if is_cut_off(finish_reason) and at == len(tasks) - 1:
            found.lost.append(("cut_off", written))
        elif [field.name for field in task] not in _WHOLE or not task[-1].text:
            found.lost.append(("malformed", written))
        else:
            asked = task[1].text if len(task) == 3 else ""
            found.items.append(_columns(task[0].text, asked, task[-1].text))
    if not found.items and not found.lost:
        found.lost.append(("empty_reply", text))
    return found


def parse_tasks_original(text: str, *, first: int, finish_reason: str = "stop") -> Candidates:
    """The same as stanford_alpaca's `post_process_gpt3_response` reads it.

    Split at `###`; the piece's place is the number that its three fields must have; one gap in the
    numbers makes all that follows `malformed`.
    """
    found = Candidates([], [])
    pieces = f"{first}. Instruction:{text}".split("###")
    for at, piece in enumerate(pieces):
        fields = re.split(rf"{first + at}\.\s+(Instruction|Input|Output):", piece)
        if is_cut_off(finish_reason) and at == len(pieces) - 1:
            found.lost.append(("cut_off", piece.strip()))
        elif len(fields) == 7:
            found.items.append(_columns(*(text.strip() for text in fields[2::2])))
        elif piece.strip():
            found.lost.append(("malformed", piece.strip()))
    return found


def _columns(instruction: str, asked: str, answered: str) -> dict[str, str]:
    asked = "" if asked.lower() == _NO_INPUT else asked
    return {"instruction": instruction, "input": asked, "output": answered}


def _without_rule(text: str) -> str:
    """The text without a line of three `#` and more at its end."""
    text = text.strip()
    above = text.rstrip("#")
    kept = above.rstrip()
    begins_line = not kept or "\n" in above[len(kept) :]
    return kept if begins_line and len(text) - len(above) >= 3 else text
