"""Instruction backtranslation: write the request that a text answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from sftrecipe.plugin import (
    ANY_COLUMN,
    Capability,
    ColumnName,
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    RowGenerator,
    Sampling,
    Texts,
)
from sftrecipe_registry.shared.replies.reply import ask_once, lost_reply
from sftrecipe_registry.shared.text.row_text import no_text

texts = Texts(__package__)

_LABEL = re.compile(
    r"\A\W{0,40}?(?P<bold>\*{0,3})(?:instruction|request|question|指令|请求|问题)\s{0,40}"
    r"(?:(?P=bold)\s{0,40}[:：]|[:：]\s{0,40}(?P=bold))\s*",
    re.IGNORECASE,
)
_QUOTES = {'"': '"', "“": "”", "'": "'", "「": "」", "**": "**"}
_COPIED = 40
"""Characters in a row that a request has no reason to share with its answer."""


class Backtranslate(Sampling, RowGenerator):
    """Make the instruction to a text that stands as its answer: corpus to SFT data.

    The row made holds `instruction` and `output` (the text, untouched), and the input's other
    columns. A reply that quotes the text is a reject, `copied`, with what it copied. Follow it with
    the filter `rubric`: the method's self-curation.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Li et al. 2024, Self-Alignment with Instruction Backtranslation (arXiv 2308.06259); the "
        "backward model is prompted, not fine-tuned"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"empty_text": (), "copied": ()}
    example: ClassVar[str] = """\
- id: asked
  use: backtranslate
  from: articles
  provider: teacher
  with: {temperature: 0.7, max_tokens: 120}
"""

    field: ColumnName = "text"
    """Column with the text that becomes the answer."""
    prompt: Annotated[
        str, PromptMarker(variables=frozenset({"text"}), shows=(frozenset({"text", ANY_COLUMN}),))
    ] = "builtin:backtranslate/ask"
    """How the model is asked, the text or a `.j2` file (Jinja2): it is given `text` beside the
    row's columns."""
    raw: bool = False
    """Let the model go on with the prompt as a plain text, without chat turns: for base models, and
    small ones that go on with examples better than they obey."""
    begin: str = ""
    """For `raw`: how every instruction begins; the model goes on from there."""
    mark: str = ""
    """System sentence that every row made gets as its `system`, as in the paper (`Answer with
    knowledge from web search.`): a model trained on them tells them from answers that were written
    as such. Empty: none."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A beginning that a chat model cannot be given."""
        yield from no_text(self.field, ("field",))
        if self.begin and not self.raw:
            yield OptionProblem(("begin",), texts("begin-needs-raw"), "raw: true")

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({"complete"}) if self.raw else self.needs

    def columns(self, inputs: Inputs) -> Inputs:
        """Instruction and output instead of the text."""
        if inputs is None:
            return None
        made = inputs - {self.field, "reasoning"} | {"instruction", "output"}
        return made | {"system"} if self.mark else made

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """One instruction, or a reject."""
        text = row.text(self.field)
        if not text.strip():
            return [Reject(row, "empty_text")]
        prompt = ctx.prompt(self.prompt).render({**row.columns, "text": text})
        reply = await ask_once(ctx.model, prompt + self.begin, self.sampling(), raw=self.raw)
        asked = instruction_in(self.begin + reply.text)
        taken = (self.field, "reasoning")
        rest = {name: value for name, value in row.columns.items() if name not in taken}
        columns = {**rest, "instruction": asked, "output": text}
        if self.mark:
            columns["system"] = self.mark
        if lost := lost_reply(reply):
            return [ctx.reject(columns, *lost, parents=[row], replies=[reply])]
        if copied := _copied(asked, text):
            return [ctx.reject(columns, "copied", copied, parents=[row], replies=[reply])]
        return [ctx.row(columns, parents=[row], replies=[reply], tags=row.tags)]


def instruction_in(reply: str) -> str:
    """The request without a label before it or quotes around it."""
    text = _LABEL.sub("", reply.strip()).strip()
    for left, right in _QUOTES.items():
        inner = text[len(left) : -len(right)]
        if text.startswith(left) and text.endswith(right) and left not in inner:
            return inner.strip()
    return text


def _copied(asked: str, text: str) -> str | None:
    """The first long run of characters that stands in both."""
    asked, text = " ".join(asked.split()), " ".join(text.split())
    runs = (asked[start : start + _COPIED] for start in range(len(asked) - _COPIED + 1))
    return next((run for run in runs if run in text), None)
