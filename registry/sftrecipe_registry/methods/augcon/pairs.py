"""AugCon's contrastive pairs: a good question on a context, and one asked by a degraded prompt."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Annotated, ClassVar, NamedTuple

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
    PromptFailed,
    PromptMarker,
    Record,
    Reject,
    Rows,
    Sampling,
    Texts,
)
from sftrecipe_registry.methods.augcon.context_split import (
    PROMPT_VARIABLES,
    Mode,
    PromptForm,
    SplitAsker,
    SplitBy,
    SplitReply,
)
from sftrecipe_registry.methods.augcon.question_columns import missing_columns

texts = Texts(__package__)

_DEGRADED = {
    "terse": PromptForm(terse=True),
    "one_shot": PromptForm(shots=1),
    "terse_one_shot": PromptForm(terse=True, shots=1),
}
"""Prompts made worse, by the name that the pairs carry."""


class _DegradedQuestion(NamedTuple):
    row: Record
    degraded: str


class AugConPairs(Sampling, Generator):
    """Ask about contexts again with worse prompts: the first question is chosen, the new rejected.

    Each drawn row of `augcon_queries` gets one negative, by a terse instruction, by one example
    instead of three, or by both: a third of the rows each, by the recipe's seed. The rows teach the
    filter `contrastive_scorer`, and, exported by `llamafactory`, any reward model (stage rm).
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})
    paper: ClassVar[str] = "Quan 2024, AugCon (arXiv 2405.16579), contrastive scorer"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_split": ("attempts",),
        "same_question": (),
    }
    example: ClassVar[str] = """\
- id: pairs
  use: augcon_pairs
  from: queries
  provider: teacher
  with: {mode: chat, per_kind: 200}
"""

    prompt: Annotated[
        str,
        PromptMarker(variables=PROMPT_VARIABLES, columns=False, shows=(frozenset({"context"}),)),
    ] = "builtin:augcon/split"
    """What asks for a question and a split, the same as of `augcon_queries`."""
    instruction: Annotated[str, PromptMarker(variables=frozenset({"context"}), columns=False)] = (
        "builtin:augcon/pair"
    )
    """What a pair's questions answer: the `instruction` of the reward data."""
    mode: Mode = "complete"
    """`complete`: the model goes on with the prompt, as in the paper; `chat`: it is a user turn."""
    split: SplitBy = "model"
    """As of `augcon_queries`: `middle` asks for the question alone."""
    per_kind: Annotated[int, Gt(0)] = 500
    """Pairs of each kind of degraded prompt at most; fewer than three times as many rows give a
    third each."""
    attempts: Annotated[int, Gt(0)] = 4
    """Calls for a pair until a reply can be read."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.85
    """Sampling temperature."""
    max_tokens: Annotated[int, Gt(0)] | None = 1024
    """Tokens to write at most."""
    stop: tuple[str, ...] = ("---", "\n\n\n")
    """Texts at which writing ends."""

    def required(self) -> frozenset[Capability]:
        """Raw completion, or chat."""
        return frozenset({self.mode})

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Rows that are no questions about a context."""
        for column in missing_columns(inputs):
            yield OptionProblem((), texts("no-column", column=column), texts("set-from"))

    def columns(self, inputs: Inputs) -> Inputs:
        """Those of preference data, with the context and the kind of the degraded prompt."""
        return frozenset({"instruction", "chosen", "rejected", "context", "degraded"})

    def expected(self, least: int, most: int | None) -> Expected:
        """A pair a row up to three times `per_kind`, each up to `attempts` calls."""
        top = 3 * self.per_kind if most is None else min(most, 3 * self.per_kind)
        return Expected((0, top * self.attempts), (0, top))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """The pairs, in the order of the rows."""
        asker = SplitAsker(ctx.model, self.mode, self.sampling(), self.attempts, self.split)
        prompt = ctx.prompt(self.prompt)

        async def ask(question: _DegradedQuestion) -> SplitReply:
            context = question.row.text("context")
            if not context.strip():
                raise PromptFailed(texts("empty-context"))
            return await asker.ask(prompt, context, _DEGRADED[question.degraded])

        async for question, asked in ctx.map(ask, self._drawn(rows, ctx)):
            yield self._pair(question, asked, ctx)

    def _drawn(self, rows: Rows, ctx: Context) -> Iterator[_DegradedQuestion]:
        """The rows with the largest numbers of each kind. One more row changes few draws."""
        kind_of: dict[str, str] = {}
        for at, degraded in enumerate(_DEGRADED):
            ids = {name for name in rows.ids() if ctx.number("kind", name) % len(_DEGRADED) == at}
            drawn = heapq.nlargest(self.per_kind, ids, key=lambda name: ctx.number("draw", name))
            kind_of |= dict.fromkeys(drawn, degraded)
        for row in rows:
            if degraded_for := kind_of.pop(row.id, None):
                yield _DegradedQuestion(row, degraded_for)

    def _pair(
        self, question: _DegradedQuestion, asked: SplitReply | CallFailed, ctx: Context
    ) -> Record | Reject:
        row, degraded = question
        context, chosen = row.text("context"), row.text("instruction")
        columns = {
            "instruction": ctx.prompt(self.instruction).render({"context": context}),
            "chosen": chosen,
            "context": context,
            "degraded": degraded,
        }
        if isinstance(asked, CallFailed):
            return ctx.reject(columns, asked.reason, asked.message, parents=[row], replies=[asked])
        split, replies = asked
        if split is None:
            return ctx.reject(
                columns, "not_split", replies[-1].text[:200], parents=[row], replies=replies
            )
        columns["rejected"] = split.question
        if split.question.casefold() == chosen.strip().casefold():
            return ctx.reject(columns, "same_question", parents=[row], replies=replies[-1:])
        return ctx.row(columns, parents=[row], replies=replies[-1:])
