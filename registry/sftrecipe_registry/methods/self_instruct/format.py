"""Self-Instruct's fourth stage: tasks written out in varied layouts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from sftrecipe.plugin import Context, Expected, Inputs, Record, Reject, RowGenerator

WITH_INPUT = (
    "{instruction}\nInput: {input}\nOutput:",
    "{instruction}\n\nInput: {input}\n\nOutput:",
    "Task: {instruction}\nInput: {input}\nOutput:",
    "{instruction}\n\n{input}\n\nOutput:",
    "{instruction}\n\n{input}\n\n",
    "{instruction}\n{input}\n\n",
    "Task: {instruction}\n\n{input}\n\n",
)
WITHOUT_INPUT = (
    "{instruction} Output:",
    "{instruction}\nOutput:",
    "{instruction}\n\nOutput:",
    "{instruction}\n\n",
    "{instruction}\n",
    "Task: {instruction}\n\n",
)
"""The layouts of `prepare_for_finetuning.py`."""

_FIELD = re.compile(r"\b(\w++):")


class SelfInstructFormat(RowGenerator):
    """Put instruction and input together in one of Self-Instruct's layouts, drawn for each row.

    The whole text becomes `instruction`, `input` becomes empty: a model that is trained on it does
    not depend on one form of prompt. Meant for base models; drop repeated rows with `exact_dedup`
    afterwards.
    """

    paper: ClassVar[str] = (
        "Wang et al. 2023, Self-Instruct (arXiv 2212.10560), section 2.3; prepare_for_finetuning.py"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_instruction": (), "no_output": ()}
    example: ClassVar[str] = """\
- {id: laid_out, use: self_instruct_format, from: examples}
"""

    plain_input: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the inputs that lose the name of their only field (`Sentence: …`) and their blank
    lines."""

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns."""
        return inputs

    def expected(self, least: int, most: int | None) -> Expected:
        """A row each, without a call."""
        return Expected((0, 0), (least, most))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The row in its layout; one without instruction or answer is a reject."""
        chance = ctx.random("layout", row.id)
        asked, answered = row.text("input").strip(), row.text("output").strip()
        instruction = row.text("instruction").strip()
        if not instruction or not answered:
            return [Reject(row, "no_output" if instruction else "no_instruction")]
        if chance.random() < self.plain_input:
            asked = plain(asked)
        layout = chance.choice(WITH_INPUT if asked else WITHOUT_INPUT)
        text = layout.format(instruction=instruction, input=asked)
        columns = {**row.columns, "instruction": text, "input": "", "output": answered}
        return [ctx.row(columns, parents=[row], scores=row.scores, tags=row.tags)]


def plain(text: str) -> str:
    """An input without the name of its only field, and with single line breaks."""
    if len(set(_FIELD.findall(text))) == 1:
        text = text.split(":", 1)[1]
    return text.strip().replace("\n\n", "\n")
