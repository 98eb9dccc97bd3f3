"""Evol-Instruct: instructions that become harder, or others, from epoch to epoch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Generator,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Reply,
    Rows,
    Sampling,
    Texts,
    question,
)
from sftrecipe_registry.methods.evol.evolution import (
    drawn,
    evolved_text,
    is_refusal,
    judged_equal,
    says_nothing,
    scaffold_in,
)
from sftrecipe_registry.shared.replies.reply import ask_once, lost_reply
from sftrecipe_registry.shared.replies.thoughts import Kept, KeptThought
from sftrecipe_registry.shared.text.row_text import column_text, parted
from sftrecipe_registry.shared.text.scripts import count_words

texts = Texts(__package__)

Operation = Literal[
    "constraints", "deepening", "concretizing", "reasoning", "complicating", "breadth"
]
_REPLACED = frozenset({"instruction", "input", "output", "reasoning", "messages", "history"})
_VARIABLES = frozenset({"prompt", "operation"})


class EvolInstruct(Sampling, KeptThought, Generator):
    """Evolve every instruction once an epoch by an operation drawn for it; those that pass go on.

    Five operations make it harder, `breadth` makes another of the same domain. An evolution that is
    eliminated leaves its original in the pool for the next epoch, and is a reject: `scaffold` (it
    copies words of the prompt), `unchanged`, `equal` (the judge finds no gain), `not_judged`,
    `apology` or `nothing_said` (by its answer), `cut_off`, `empty_answer`.
    Rows carry the tags `evolution` and `epoch`, and their original as parent.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Xu et al. 2024, WizardLM (arXiv 2304.12244), §3: five in-depth operations, in-breadth, "
        "four rules of elimination, four epochs"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_instruction": (),
        "scaffold": (),
        "unchanged": (),
        "equal": ("compare",),
        "not_judged": ("compare",),
        "apology": ("answer",),
        "nothing_said": ("answer",),
    }
    example: ClassVar[str] = """\
- id: evolved
  use: evol_instruct
  from: seeds
  provider: teacher
  with: {epochs: 2, operations: {constraints: 1, deepening: 1, breadth: 2}}
"""

    temperature: Annotated[float, Ge(0), Le(2)] | None = 1.0
    top_p: Annotated[float, Gt(0), Le(1)] | None = 0.95
    max_tokens: Annotated[int, Gt(0)] | None = 2048
    epochs: Annotated[int, Gt(0)] = 4
    """Times that each instruction is evolved."""
    operations: dict[Operation, Annotated[float, Ge(0)]] = {
        "constraints": 1, "deepening": 1, "concretizing": 1, "reasoning": 1, "complicating": 1,
        "breadth": 1,
    }  # fmt: skip
    """Operation → weight in the draw."""
    answer: bool = True
    """Ask for the answer to every evolved instruction, which two of the rules look at; else rows
    have no `output`."""
    compare: bool = True
    """Ask the model whether an evolution asks for more than its original."""
    keep: Literal["all", "last"] = "all"
    """Rows of every epoch, or of each instruction the last one that passed."""
    reasoning: Kept = "drop"
    """Keep the thoughts before the answers in the column `reasoning`, or drop them."""
    originals: bool = False
    """Give the instructions that went in as rows too, answered where they have no answer."""
    raw: bool = False
    """Let the rewriter go on with its prompt as a plain text, up to the line end: for base models,
    and small ones. Give prompts that such a model goes on with."""
    strict_original: bool = False
    """As the released code: no `complicating`, one epoch."""
    in_depth: Annotated[
        str, PromptMarker(variables=_VARIABLES, columns=False, shows=(frozenset({"prompt"}),))
    ] = "builtin:evol_instruct/in_depth"
    """Prompt of the in-depth operations: it is given `prompt` and `operation`."""
    in_breadth: Annotated[
        str, PromptMarker(variables=_VARIABLES, columns=False, shows=(frozenset({"prompt"}),))
    ] = "builtin:evol_instruct/in_breadth"
    """Prompt of `breadth`: it is given `prompt`."""
    equal: Annotated[
        str,
        PromptMarker(
            variables=frozenset({"first", "second"}),
            columns=False,
            shows=(frozenset({"first"}), frozenset({"second"})),
        ),
    ] = "builtin:evol_instruct/equal"
    """Prompt that compares an original, `first`, and its evolution, `second`."""

    def required(self) -> frozenset[Capability]:
        """Chat where it answers or compares, raw completion where it goes on with a text."""
        chats: set[Capability] = {"chat"} if not self.raw or self.answer or self.compare else set()
        return frozenset(chats | {"complete"} if self.raw else chats)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No operation to draw; rows without instructions."""
        if not any(self._weights().values()):
            yield OptionProblem(("operations",), texts("no-operation"))
        if inputs is not None and not inputs & {"instruction", "messages"}:
            yield OptionProblem((), texts("no-instructions"))

    def columns(self, inputs: Inputs) -> Inputs:
        """The instruction and its answer, beside the input's other columns."""
        if inputs is None:
            return None
        made = inputs - _REPLACED | {"instruction"}
        return made | {"output"} | self.thought_columns() if self.answer else made

    def expected(self, least: int, most: int | None) -> Expected:
        """Up to three calls an instruction and epoch."""
        calls = 1 + self.compare + self.answer
        rounds = self._epochs()
        own = int(self.originals)
        top = None if most is None else most * (calls * rounds + own)
        rows = None if most is None else most * ((rounds if self.keep == "all" else 1) + own)
        return Expected((least * rounds, top), (0, rows), carried=1)

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """Epoch by epoch, in the order of the rows."""
        pool = [row for row in rows if question(row.columns).strip()]
        for row in rows:
            if not question(row.columns).strip():
                yield Reject(row, "no_instruction")
        if self.originals:
            async for row, made in ctx.map(lambda row: self._original(row, ctx), pool):
                yield _failure_reject(row, made, ctx) if isinstance(made, CallFailed) else made
        newest: dict[int, Record] = {}
        for epoch in range(1, self._epochs() + 1):
            evolve = partial(self._evolve, epoch=epoch, ctx=ctx)
            async for (place, row), made in ctx.map(evolve, enumerate(tuple(pool))):
                if isinstance(made, CallFailed):
                    yield _failure_reject(row, made, ctx)
                elif isinstance(made, Reject):
                    yield made
                else:
                    pool[place] = newest[place] = made
                    if self.keep == "all":
                        yield made
        if self.keep == "last":
            for place in sorted(newest):
                yield newest[place]

    async def _evolve(
        self, numbered: tuple[int, Record], epoch: int, ctx: Context
    ) -> Record | Reject:
        """One evolution of one instruction of the pool, with its answer."""
        row = numbered[1]
        asked = question(row.columns)
        operation = drawn(self._weights(), ctx, row.id, epoch)
        attempt = _Attempt(row, {"evolution": operation, "epoch": str(epoch)}, ctx)
        template = self.in_breadth if operation == "breadth" else self.in_depth
        given = {"prompt": asked, "operation": operation}
        evolved = evolved_text(await self._ask(template, given, epoch, attempt))
        attempt.columns |= {"instruction": evolved}
        if lost := attempt.lost_text(asked, evolved):
            return lost
        if self.compare:
            judged = await self._ask(self.equal, {"first": asked, "second": evolved}, 1, attempt)
            if (same := judged_equal(judged)) is not False:
                return attempt.reject("equal" if same else "not_judged", judged.strip()[:80])
        if self.answer:
            answer = await self._answer(evolved, attempt)
            if lost := attempt.lost_answer(answer):
                return lost
        return attempt.row()

    async def _original(self, row: Record, ctx: Context) -> Record | Reject:
        attempt = _Attempt(row, {"evolution": "none", "epoch": "0"}, ctx)
        attempt.columns["instruction"] = question(row.columns)
        answered = _answered(row)
        if self.answer and not answered:
            answer = await self._answer(attempt.columns["instruction"], attempt)
            if lost := attempt.lost_answer(answer):
                return lost
        elif self.answer:
            attempt.columns |= answered
        return attempt.row()

    async def _ask(
        self, template: str, given: dict[str, str], epoch: int, attempt: _Attempt
    ) -> str:
        prompt = attempt.ctx.prompt(template).render(given)
        sampling = self.sampling()
        if template == self.equal:
            return await attempt.ask(prompt, {**sampling, "temperature": 0}, 0)
        if self.raw:
            sampling["stop"] = ["\n"]
        return await attempt.ask(prompt, sampling, epoch - 1, raw=self.raw)

    async def _answer(self, instruction: str, attempt: _Attempt) -> str:
        answer = (await attempt.ask(instruction, self.sampling(), 0)).strip()
        attempt.columns["output"] = answer
        if thought := self.thought(attempt.replies[-1]):
            attempt.columns["reasoning"] = thought
        return answer

    def _weights(self) -> dict[str, float]:
        left_out = {"complicating"} if self.strict_original else set()
        return {name: each for name, each in self.operations.items() if name not in left_out}

    def _epochs(self) -> int:
        return 1 if self.strict_original else self.epochs


@dataclass
class _Attempt:
    """An evolution under way: what it came to so far, and the calls that it took."""

    original: Record
    tags: dict[str, str]
    ctx: Context
    columns: dict[str, Any] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        rest = self.original.columns.items()
        self.columns = {name: value for name, value in rest if name not in _REPLACED}

    async def ask(
        self, prompt: str, sampling: dict[str, Any], sample: int, *, raw: bool = False
    ) -> str:
        reply = await ask_once(self.ctx.model, prompt, sampling, raw=raw, sample=sample)
        self.replies.append(reply)
        return reply.text

    def lost_text(self, original: str, evolved: str) -> Reject | None:
        """Why the rewriter's reply is no evolution."""
        if (lost := lost_reply(self.replies[-1])) or not evolved:
            return self.reject(*(lost or ("empty_answer",)))
        if copied := scaffold_in(evolved):
            return self.reject("scaffold", copied)
        return self.reject("unchanged") if evolved == original.strip() else None

    def lost_answer(self, answer: str) -> Reject | None:
        """Why the answer shows that the instruction is no good (rules 2 and 3), or is none."""
        if lost := lost_reply(self.replies[-1]):
            return self.reject(*lost)
        words = count_words(answer)
        if is_refusal(answer, words):
            return self.reject("apology", float(words))
        return self.reject("nothing_said") if says_nothing(answer) else None

    def reject(self, reason: str, value: float | str | None = None) -> Reject:
        parents = [self.original]
        made = self.ctx.reject(self.columns, reason, value, parents=parents, replies=self.replies)
        return made._replace(record=made.record._replace(tags=self.tags))

    def row(self) -> Record:
        tags = {**self.original.tags, **self.tags}
        return self.ctx.row(self.columns, parents=[self.original], replies=self.replies, tags=tags)


def _answered(row: Record) -> dict[str, str]:
    """The row's own answer and its thought; none of a longer conversation, of which the
    instruction is but the end."""
    turns = row.columns.get("messages")
    if turns and sum(turn["role"] != "system" for turn in turns) != 2:
        return {}
    found = {name: column_text(row, name) for name in ("output", "reasoning")}
    if not found["output"] or parted(row.columns).calls:
        return {}
    return {name: text for name, text in found.items() if text}


def _failure_reject(row: Record, failure: CallFailed, ctx: Context) -> Reject:
    return ctx.reject(
        row.columns, failure.reason, failure.message, parents=[row], replies=[failure]
    )
