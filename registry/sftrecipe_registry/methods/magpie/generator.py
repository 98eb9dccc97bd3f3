"""Magpie: instructions out of an aligned model, which is given nothing but the user's mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from hashlib import blake2b
from math import log
from typing import Annotated, ClassVar, NamedTuple

from annotated_types import Gt

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Described,
    Expected,
    Filled,
    Generator,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Rows,
)
from sftrecipe_registry.methods.magpie.instruction_sanitiser import Rules, sanitised
from sftrecipe_registry.methods.magpie.user_turn import UserTurn
from sftrecipe_registry.shared.replies.reply import Lost
from sftrecipe_registry.shared.text.first_seen import DIGEST_BYTES, FirstSeen

_OWN = "builtin:magpie/"
_SHOWN = 60
_EMPTY = Lost("empty_instruction")
_BLANK = Record("", {}, "")
"""What a step begins with that reads no rows."""


class SystemPrompt(Described):
    """A system prompt and how often it is drawn."""

    prompt: Annotated[str, PromptMarker()]
    """The text, a `.j2` file, or one of `builtin:magpie/generic`, `math`, `code`, `translation` and
    `medical` (Jinja2: the row's columns are variables)."""
    weight: Annotated[float, Gt(0)] = 1.0
    """Its share, beside the others' weights."""


class _AskedTurn(NamedTuple):
    row: Record
    chosen: str
    """The system prompt as the option has it."""
    system: Filled
    """The same, filled in."""
    sample: int


class Magpie(UserTurn, Generator):
    """Let a model go on after the mark of a user's turn: what it writes is an instruction.

    Without `from` the mark is all that the model sees, `samples` times; with it, every row is
    asked about so often, with a system prompt made of its columns. `respond` at temperature 0
    answers. Equal instructions: the first is kept. Rejects: `empty_instruction`, `cut_off` with the
    tokens, `stop_word`, `broken_character`, `duplicate` with the first one's id.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})
    paper: ClassVar[str] = (
        "Xu et al. 2024, Magpie (arXiv 2406.08464), section 2; templates, stops and system prompts "
        "of github.com/magpie-align/magpie (MIT)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "duplicate": ("temperature",),
        "empty_instruction": (),
        "broken_character": ("first_token_temperature",),
        "stop_word": ("early_stop",),
    }
    example: ClassVar[str] = """\
- id: asked
  use: magpie
  provider: teacher
  with: {family: qwen2.5, samples: 200, system: "builtin:magpie/medical"}
"""

    samples: Annotated[int, Gt(0)] = 1
    """Instructions to ask for; so many for each row where there are rows."""
    system: Annotated[str, PromptMarker()] | tuple[SystemPrompt, ...] = ""
    """System prompt, or several to draw from: {prompt, weight}. It says what the assistant helps
    with, not that it writes questions; none, or the template's own, where it is empty."""
    keep_system: bool = False
    """Put it into the rows' column `system`; left out, the answers are given without it."""
    sanitise: Rules | None = None
    """Cut away what a model wrote beyond the question, by rules made for Gemma-2 or Llama-3; the
    number of the rule is the row's tag `sanitised`."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A template that is missing, or takes no system prompt."""
        turns = [{"role": "system", "content": "."}] if self.system else []
        yield from self.template_problems(files, turns)

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns and the instruction."""
        made = {"instruction", "system"} if self.keep_system else {"instruction"}
        return None if inputs is None else inputs | made

    def expected(self, least: int, most: int | None) -> Expected:
        """`samples` a row, or altogether."""
        each = self.samples
        top = None if most is None else max(most, 1) * each
        calls = self.calls_a_turn()
        return Expected((max(least, 1) * each, None if top is None else top * calls), (0, top))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """The instructions in the order of rows and samples."""
        seen = FirstSeen()

        async def ask(one: _AskedTurn) -> Record | Reject:
            return await self._instruction(one, ctx)

        async for one, made in ctx.map(ask, self._turns_to_ask(rows, ctx)):
            if isinstance(made, CallFailed):
                yield ctx.reject(
                    one.row.columns, made.reason, made.message,
                    parents=_parents(one.row), replies=[made],
                )  # fmt: skip
            elif isinstance(made, Reject):
                yield made
            else:
                text = made.text("instruction").encode()
                first = seen.first(blake2b(text, digest_size=DIGEST_BYTES).digest(), made.id)
                yield made if first is None else Reject(made, "duplicate", first)

    def _turns_to_ask(self, rows: Rows, ctx: Context) -> Iterator[_AskedTurn]:
        """What is asked for, in order. Rows with equal system prompts have samples of their own."""
        times: Counter[tuple[str, int]] = Counter()
        for row in rows if len(rows) else (_BLANK,):
            for number in range(self.samples):
                chosen = self._chosen(row, number, ctx)
                system = ctx.prompt(chosen).filled(row.columns) if chosen else Filled("")
                sample = number + self.samples * times[system.text, number]
                times[system.text, number] += 1
                yield _AskedTurn(row, chosen, system, sample)

    async def _instruction(self, one: _AskedTurn, ctx: Context) -> Record | Reject:
        system = one.system.checked()
        turns = [{"role": "system", "content": system}] if system else []
        written = await self.written(turns, one.sample, ctx)
        tags = dict(one.row.tags)
        if not isinstance(self.system, str):
            tags["system"] = one.chosen.removeprefix(_OWN)[:_SHOWN]
        text, lost = written.text, written.lost
        if self.sanitise is not None and lost is None:
            text, tags["sanitised"] = sanitised(text, self.sanitise)
            lost = None if text else _EMPTY
        columns = {**one.row.columns, "instruction": text}
        if self.keep_system and system:
            columns["system"] = system
        parents = _parents(one.row)
        if lost is not None:
            return ctx.reject(columns, *lost, parents=parents, replies=written.replies)
        return ctx.row(columns, parents=parents, replies=written.replies, tags=tags)

    def _chosen(self, row: Record, number: int, ctx: Context) -> str:
        """A system prompt by weight; another one more changes only the draws that it wins."""
        if isinstance(self.system, str):
            return self.system

        def late(each: SystemPrompt) -> float:
            drawn = ctx.number("system", each.prompt, row.id, number)
            return -log((drawn + 0.5) / 2**64) / each.weight

        return min(self.system, key=late).prompt


def _parents(row: Record) -> Sequence[Record]:
    return () if row is _BLANK else (row,)
