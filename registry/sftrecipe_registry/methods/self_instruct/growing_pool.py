"""Growing a pool of instructions in rounds: what Self-Instruct and Alpaca have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Filled,
    Generator,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Reject,
    Reply,
    Rows,
    Sampling,
    Texts,
)
from sftrecipe_registry.shared.replies.reply import ask_once, nothing_said
from sftrecipe_registry.shared.text.instruction_rules import Rules, fault_finder
from sftrecipe_registry.shared.text.tokenizers import (
    TokenizerName,
    jieba_problems,
    resolved,
    tokenizer,
)

if TYPE_CHECKING:
    from sftrecipe_registry.methods.self_instruct.instruction_pool import InstructionPool

texts = Texts(__package__)


class Question(NamedTuple):
    """One call of a round."""

    shown: Sequence[Record]
    """The rows in the prompt."""
    prompt: Filled
    sample: int
    """Times that the same prompt was asked before."""


class Candidates(NamedTuple):
    """What a reply holds, in its order."""

    items: list[dict[str, Any]]
    """The columns of each; `instruction` among them."""
    lost: list[tuple[str, str]]
    """What is no item: (reason, text)."""


class GrowingPool(Sampling, Generator):
    """New instructions out of shown ones, until there are enough that say something new.

    A round is a batch of prompts that depend on the pool as it was before; its replies are read in
    the order of the prompts, so the rows do not depend on when replies arrive.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "blacklisted": (),
        "empty": (),
        "too_short": (),
        "too_long": (),
        "write_a_program": (),
        "punctuation_first": (),
        "non_ascii_first": (),
        "no_tokens": ("tokenizer",),
        "too_similar": ("max_rouge",),
    }
    rules: ClassVar[Rules]

    ask: Literal["chat", "complete"] = "chat"
    """`chat`: tell an assistant what to write, which every provider can; `complete`: let the model
    go on with the list, as the original does: for base models and the embedded one."""
    count: Annotated[int, Gt(0)] = 100
    """End with the round that brings so many accepted rows; that round is kept whole."""
    max_rounds: Annotated[int, Gt(0)] = 200
    """End after so many rounds."""
    min_new: Annotated[int, Ge(0)] = 1
    """End after a round that brings fewer accepted rows than this."""
    prompts_per_round: Annotated[int, Gt(0)] = 5
    """Prompts in a round, the original's batch: all see the pool as it was before the round."""
    max_rouge: Annotated[float, Ge(0), Le(1)] = 0.7
    """The largest ROUGE-L F1 with any seed or accepted row; an instruction above it is rejected."""
    tokenizer: TokenizerName = "auto"
    """What ROUGE compares: `rouge_en`, `word`, `char`, `jieba`, or `auto`: by the recipe's language
    (Chinese and Japanese by characters)."""
    strict_original: bool = False
    """Do as the released code does, its quirks included, with its English rules in any language."""

    @abstractmethod
    def question(self, pool: InstructionPool, ctx: Context, *salt: object) -> Question:
        """The rows shown and the prompt; `salt` tells the calls of a run apart."""

    @abstractmethod
    def candidates(self, reply: Reply, question: Question) -> Candidates:
        """What stands in a reply."""

    @abstractmethod
    def new_in_reply(self) -> int:
        """How many instructions a prompt asks for."""

    @abstractmethod
    def carried(self) -> int:
        """Replies that the made instructions in a prompt take at most, by what one may hold."""

    @abstractmethod
    def stops(self, question: Question) -> list[str]:
        """Where a completion ends, unless the recipe says."""

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({self.ask})

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed; seeds without instructions."""
        yield from jieba_problems(asked=self.tokenizer == "jieba")
        if inputs is not None and "instruction" not in inputs:
            yield OptionProblem(
                (),
                texts("no-column", column="instruction"),
                texts("name-in-source"),
            )

    def expected(self, least: int, most: int | None) -> Expected:
        """Calls up to `max_rounds`; rows up to `count` and what the last round brings beyond it."""
        a_round = self.prompts_per_round * self.new_in_reply()
        rows = min(self.count - 1 + a_round, self.max_rounds * a_round)
        calls = self.max_rounds * self.prompts_per_round
        return Expected(
            (self.prompts_per_round, calls), (0, rows), likely=True, carried=self.carried()
        )

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """Accepted instructions and rejects, in the order of rounds, prompts and items.

        Raises PluginRefused when the seeds have no instruction, or the tokenizer finds nothing in
        most of them.
        """
        pool = self._pool(rows, ctx)
        times: Counter[str] = Counter()

        async def asked(question: Question) -> Reply:
            return await self._reply(question, ctx)

        for number in range(self.max_rounds):
            before = len(pool.made)
            questions = list(self._questions(pool, number, times, ctx))
            async for question, reply in ctx.map(asked, questions):
                for item in self._rows_and_rejects(question, reply, pool, ctx):
                    yield item
            ctx.count("rounds")
            if len(pool.made) >= self.count:
                ctx.count("ended_at_count")
                return
            if len(pool.made) - before < self.min_new:
                ctx.count("ended_with_too_few_new")
                return
        ctx.count("ended_at_max_rounds")

    def _pool(self, rows: Rows, ctx: Context) -> InstructionPool:
        from sftrecipe_registry.methods.self_instruct.instruction_pool import InstructionPool  # noqa: PLC0415 - numpy

        fault = fault_finder(self.rules, "en" if self.strict_original else ctx.language)
        pool = InstructionPool(rows, tokenizer(self.tokenizer, ctx.language), fault)
        if not pool.seeds:
            raise PluginRefused(texts("no-seeds"))
        if pool.silent * 2 > len(pool.seeds):
            name = resolved(self.tokenizer, ctx.language)
            values = {"tokenizer": name, "silent": pool.silent, "seeds": len(pool.seeds)}
            raise PluginRefused(texts("no-tokens", **values))
        return pool

    def _questions(
        self, pool: InstructionPool, number: int, times: Counter[str], ctx: Context
    ) -> Iterator[Question]:
        for at in range(self.prompts_per_round):
            question = self.question(pool, ctx, number, at)
            yield question._replace(sample=times[question.prompt.text])
            times[question.prompt.text] += 1

    async def _reply(self, question: Question, ctx: Context) -> Reply:
        sampling, raw = self.sampling(), self.ask == "complete"
        if raw:
            sampling.setdefault("stop", self.stops(question))
        prompt = question.prompt.checked()
        return await ask_once(ctx.model, prompt, sampling, raw=raw, sample=question.sample)

    def _rows_and_rejects(
        self,
        question: Question,
        reply: Reply | CallFailed,
        pool: InstructionPool,
        ctx: Context,
    ) -> Iterator[Record | Reject]:
        """A reply's items in order, each compared with all that were accepted before it."""
        shown = question.shown
        if isinstance(reply, CallFailed):
            prompt = {"prompt": question.prompt.text}
            yield ctx.reject(prompt, reply.reason, reply.message, parents=shown, replies=[reply])
            return
        if lost := nothing_said(reply):
            prompt = {"prompt": question.prompt.text}
            yield ctx.reject(prompt, *lost, parents=shown, replies=[reply])
            return
        found = self.candidates(reply, question)
        for columns in found.items:
            yield self._verdict(columns, shown, reply, pool, ctx)
        for reason, text in found.lost:
            yield ctx.reject({"reply": text}, reason, parents=shown, replies=[reply])

    def _verdict(
        self,
        columns: dict[str, Any],
        shown: Sequence[Record],
        reply: Reply,
        pool: InstructionPool,
        ctx: Context,
    ) -> Record | Reject:
        """An item as a row, which joins the pool, or as a reject."""
        text = columns["instruction"]
        if wrong := pool.fault(text):
            value = wrong.value if wrong.value is not None else wrong.detail or None
            return ctx.reject(columns, wrong.reason, value, parents=shown, replies=[reply])
        similar = pool.similar(text)
        if similar is None:
            return ctx.reject(columns, "no_tokens", parents=shown, replies=[reply])
        value, nearest = similar
        if value > self.max_rouge and nearest is not None:
            columns = {**columns, **_nearest(nearest)}
            return ctx.reject(columns, "too_similar", value, parents=shown, replies=[reply])
        row = ctx.row(columns, parents=shown, replies=[reply], scores={"rouge": value})
        pool.accept(row)
        return row


def _nearest(row: Record) -> Mapping[str, str]:
    return {"nearest": row.id, "nearest_instruction": row.text("instruction")}
