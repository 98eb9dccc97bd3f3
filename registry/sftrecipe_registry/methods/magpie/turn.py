"""Magpie's further turns: what the user says after an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from sftrecipe.plugin import (
    PLAIN_COLUMNS,
    Capability,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    RowGenerator,
    Turn,
    chat,
)
from sftrecipe_registry.methods.magpie.user_turn import UserTurn


class MagpieTurn(UserTurn, RowGenerator):
    """Let a model write the user's next turn of every answered row, into `messages`.

    The model sees the conversation after a system prompt that speaks of several rounds, which does
    not stay in the row: `respond` answers without it. Both blocks again make a third turn. Rejects:
    `no_answer`, `tool_call`, `prompt_failed` where the template has no such turns, `repeated_turn`,
    `empty_instruction`, `cut_off` with the tokens, `stop_word`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})
    paper: ClassVar[str] = "Magpie (arXiv 2406.08464), multi-turn extension (Magpie-MT)"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_answer": (),
        "repeated_turn": ("temperature",),
        "empty_instruction": (),
        "broken_character": ("first_token_temperature",),
        "stop_word": ("early_stop",),
    }
    example: ClassVar[str] = """\
- {id: asked, use: magpie, provider: teacher, with: {family: llama3, samples: 200}}
- {id: answered, use: respond, from: asked, provider: teacher, with: {temperature: 0}}
- {id: asked_on, use: magpie_turn, from: answered, provider: teacher, with: {family: llama3}}
- {id: talks, use: respond, from: asked_on, provider: teacher, with: {temperature: 0}}
"""

    system: Annotated[str, PromptMarker()] = "builtin:magpie_turn/multi_round"
    """System prompt while the user's turn is written, the text or a `.j2` file (Jinja2: the row's
    columns are variables); the row's own, or the template's, where it is empty."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A template that is missing, or takes no such turns."""
        system = [{"role": "system", "content": "."}] if self.system else []
        talk = [{"role": "user", "content": "."}, {"role": "assistant", "content": "."}]
        yield from self.template_problems(files, [*system, *talk])

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns with `messages` instead of an instruction."""
        return None if inputs is None else inputs - PLAIN_COLUMNS | {"messages"}

    def expected(self, least: int, most: int | None) -> Expected:
        """One turn a row."""
        top = None if most is None else most * self.calls_a_turn()
        return Expected((least, top), (0, most))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The conversation with one more turn of the user's."""
        turns = chat(row.columns)
        if not turns or turns[-1]["role"] != "assistant":
            return [Reject(row, "no_answer")]
        if turns[-1].get("tool_calls"):
            return [Reject(row, "tool_call")]
        written = await self.written(self._seen(row, turns, ctx), 0, ctx)
        rest = {name: value for name, value in row.columns.items() if name not in PLAIN_COLUMNS}
        columns = {**rest, "messages": [*turns, {"role": "user", "content": written.text}]}
        if written.lost is not None:
            return [ctx.reject(columns, *written.lost, parents=[row], replies=written.replies)]
        if any(turn["content"] == written.text for turn in turns):
            return [ctx.reject(columns, "repeated_turn", parents=[row], replies=written.replies)]
        return [ctx.row(columns, parents=[row], replies=written.replies, tags=row.tags)]

    def _seen(self, row: Record, turns: Sequence[Turn], ctx: Context) -> list[Turn]:
        if not self.system:
            return list(turns)
        said = ctx.prompt(self.system).render(row.columns)
        talk = [turn for turn in turns if turn["role"] != "system"]
        return [{"role": "system", "content": said}, *talk]
