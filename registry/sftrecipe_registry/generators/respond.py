"""Answer every instruction; where the row has tools, the model's calls of them are the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import orjson
from annotated_types import Gt

from sftrecipe.plugin import (
    ANY_COLUMN,
    PLAIN_COLUMNS,
    Capability,
    Columns,
    Context,
    Expected,
    Inputs,
    PromptMarker,
    Record,
    Reject,
    Reply,
    RowGenerator,
    Sampling,
    Turn,
    question,
)
from sftrecipe_registry.shared.replies.reply import lost_reply, with_system
from sftrecipe_registry.shared.replies.thoughts import KeptThought
from sftrecipe_registry.shared.text.row_text import parted, with_answer

_SHOWN = 200


class Respond(Sampling, KeptThought, RowGenerator):
    """Ask a model for the answer to every row's instruction and put it into `output`.

    A row of chat turns gets the answer as its next turn, with the model's thought beside it; one
    with `tools` has them sent along, and may get calls of them as its answer. A row that has an
    answer already passes as it is, without a call, unless `replace` is set.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_instruction": (), "bad_tools": ()}
    example: ClassVar[str] = """\
- id: answered
  use: respond
  from: ask
  provider: teacher
  with: {system: "You are a careful doctor.", max_tokens: 400}
"""

    system: Annotated[str, PromptMarker()] = ""
    """System prompt, the text or a `.j2` file (Jinja2: the row's columns are variables); the row's
    own where it is empty."""
    prompt: (
        Annotated[str, PromptMarker(shows=(frozenset({ANY_COLUMN}),), beside="system")] | None
    ) = None
    """What the user says, the text or a `.j2` file (Jinja2); the row's instruction and input where
    it is left out."""
    samples: Annotated[int, Gt(0)] = 1
    """Answers to each row, one row each."""
    replace: bool = False
    """Answer rows anew that have an answer already."""
    keep_cut_off: bool = False
    """Keep answers that ended at `max_tokens`."""

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns and `output` with its `reasoning`, or the longer `messages`."""
        if inputs is None or "messages" in inputs:
            return inputs
        return inputs - {"reasoning"} | {"output"} | self.thought_columns()

    def expected(self, least: int, most: int | None) -> Expected:
        """`samples` calls a row."""
        top = None if most is None else most * self.samples
        return Expected((least * self.samples, top), (0, top))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The row with an answer, one row a sample; an empty or cut answer is a reject."""
        if not self.replace and parted(row.columns).answer is not None:
            return [ctx.row(row.columns, parents=[row], tags=row.tags)]
        turns = self._turns(row, ctx)
        if not any(turn["role"] == "user" and turn["content"].strip() for turn in turns):
            return [Reject(row, "no_instruction")]
        sampling, tools = self.sampling(), tools_of(row.columns)
        if tools is None:
            return [Reject(row, "bad_tools", row.text("tools")[:_SHOWN])]
        made: list[Record | Reject] = []
        for sample in range(self.samples):
            reply = await ctx.model.chat(turns, sample=sample, sampling=sampling, tools=tools)
            made.append(self._answered(row, reply, ctx))
        return made

    def _turns(self, row: Record, ctx: Context) -> list[Turn]:
        columns = {name: value for name, value in row.columns.items() if name != "output"}
        turns = parted(columns).before
        if self.prompt is not None:
            asked = ctx.prompt(self.prompt).render(row.columns)
            places = [at for at, turn in enumerate(turns) if turn["role"] == "user"]
            at = places[-1] if question(columns) else len(turns)
            turns[at : at + 1] = [{"role": "user", "content": asked}]
        if self.system:
            turns = with_system(turns, ctx.prompt(self.system).render(row.columns))
        return turns

    def _answered(self, row: Record, reply: Reply, ctx: Context) -> Record | Reject:
        tools, thought = "tools" in row.columns, self.thought(reply)
        if lost := lost_reply(reply, keep_cut_off=self.keep_cut_off, tools=tools):
            columns = with_answer(row.columns, reply.text.strip(), thought)
            return ctx.reject(columns, *lost, parents=[row], replies=[reply])
        columns = with_reply(row.columns, reply, thought)
        return ctx.row(columns, parents=[row], replies=[reply], tags=row.tags)


def tools_of(columns: Columns) -> Sequence[Mapping[str, Any]] | None:
    """A row's tools in OpenAI's form; none where it has none, None where they cannot be read."""
    told = columns.get("tools")
    if isinstance(told, str):
        try:
            told = orjson.loads(told) if told.strip() else []
        except orjson.JSONDecodeError:
            return None
    if told is None:
        return ()
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        return None
    # LLaMA-Factory's data has the functions alone.
    return [each if "function" in each else {"type": "function", "function": each} for each in told]


def with_reply(columns: Columns, reply: Reply, reasoning: str) -> dict[str, Any]:
    """The columns with the reply as their last answer; calls of tools make them chat turns."""
    text = reply.text.strip()
    if not reply.tool_calls:
        return with_answer(columns, text, reasoning)
    turn: Turn = {"role": "assistant", "content": text, "tool_calls": list(reply.tool_calls)}
    if reasoning:
        turn["reasoning"] = reasoning
    asked = {name: value for name, value in columns.items() if name != "output"}
    kept = {name: value for name, value in columns.items() if name not in PLAIN_COLUMNS}
    return {**kept, "messages": [*parted(asked).before, turn]}
