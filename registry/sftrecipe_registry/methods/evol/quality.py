"""Evolve answers: the same question, answered better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    Capability,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Reply,
    RowGenerator,
    Sampling,
    Texts,
    chat,
)
from sftrecipe_registry.methods.evol.evolution import drawn, evolved_text, scaffold_in
from sftrecipe_registry.shared.replies.reply import Lost, ask_once, lost_reply
from sftrecipe_registry.shared.text.row_text import parted, spoken, with_answer

texts = Texts(__package__)

Operation = Literal["helpfulness", "relevance", "deepening", "creativity", "details"]
_VARIABLES = frozenset({"prompt", "answer", "operation"})


class EvolQuality(Sampling, RowGenerator):
    """Rewrite every row's answer, by an operation drawn for it, as often as `evolutions` says.

    An evolution that fails leaves the answer as it is for the next; a row whose answer never
    changed is a reject: `scaffold`, `unchanged`, `cut_off`, `empty_answer`. Rows without an answer
    are rejects, `no_answer`, and so are those whose answer calls a tool, `tool_call`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Liu et al. 2024, Deita (arXiv 2312.15685), evolution of quality; operations as distilabel "
        "1.5.3 has them"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_answer": (),
        "scaffold": (),
        "unchanged": (),
    }
    example: ClassVar[str] = """\
- {id: better, use: evol_quality, from: answered, provider: teacher, with: {evolutions: 2}}
"""

    evolutions: Annotated[int, Gt(0)] = 1
    """Times that an answer is rewritten."""
    operations: dict[Operation, Annotated[float, Ge(0)]] = {
        "helpfulness": 1, "relevance": 1, "deepening": 1, "creativity": 1, "details": 1
    }  # fmt: skip
    """Operation → weight in the draw."""
    keep: Literal["last", "all", "pair"] = "last"
    """The last answer; a row for each that passed, the first one included; or the last as `chosen`
    and the first as `rejected`."""
    prompt: Annotated[
        str,
        PromptMarker(variables=_VARIABLES, columns=False, shows=(frozenset({"prompt", "answer"}),)),
    ] = "builtin:evol_quality/rewrite"
    """How the model is asked: the prompt is given `prompt`, `answer` and `operation`."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No operation to draw."""
        if not any(self.operations.values()):
            yield OptionProblem(("operations",), texts("no-operation"))

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns; of pairs the two answers instead of the one."""
        if inputs is None or self.keep != "pair":
            return inputs
        return inputs - {"output", "reasoning"} | {"chosen", "rejected"}

    def expected(self, least: int, most: int | None) -> Expected:
        """A call an evolution."""
        top = None if most is None else most * self.evolutions
        rows = 1 + self.evolutions if self.keep == "all" else 1
        return Expected((0, top), (0, None if most is None else most * rows), carried=1)

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The row with its better answer, or answers."""
        before, answer, calls = parted(row.columns)
        if answer is None:
            return [Reject(row, "no_answer")]
        if calls:
            return [Reject(row, "tool_call")]
        answers, replies = [answer], []
        lost: Lost | None = None
        for number in range(self.evolutions):
            reply = await self._ask(row, number, spoken(before), answers[-1], ctx)
            replies.append(reply)
            better = evolved_text(reply.text)
            lost = _loss(reply, better, answers[-1])
            if lost:
                ctx.count(f"not evolved: {lost.reason}")
            else:
                answers.append(better)
        if len(answers) == 1 and lost:
            return [ctx.reject(row.columns, *lost, parents=[row], replies=replies)]
        return self._rows(row, answers, replies, ctx)

    async def _ask(self, row: Record, number: int, asked: str, answer: str, ctx: Context) -> Reply:
        operation = drawn(self.operations, ctx, row.id, number)
        given = {"prompt": asked, "answer": answer, "operation": operation}
        prompt = ctx.prompt(self.prompt).render(given)
        return await ask_once(ctx.model, prompt, self.sampling(), sample=number)

    def _rows(
        self, row: Record, answers: Sequence[str], replies: Sequence[Reply], ctx: Context
    ) -> list[Record | Reject]:
        if self.keep == "pair":
            columns = {**row.columns, "chosen": answers[-1], "rejected": answers[0]}
            for name in ("output", "reasoning"):
                columns.pop(name, None)
            if "messages" in columns:
                columns["messages"] = parted(row.columns).before
            made = [columns]
        else:
            kept = answers if self.keep == "all" else answers[-1:]
            own = chat(row.columns)[-1].get("reasoning", "")  # before the first one
            made = [
                with_answer(row.columns, answer, own if answer is answers[0] else "")
                for answer in kept
            ]
        return [ctx.row(each, parents=[row], replies=replies, tags=row.tags) for each in made]


def _loss(reply: Reply, better: str, answer: str) -> Lost | None:
    if lost := lost_reply(reply):
        return lost
    if not better:
        return Lost("empty_answer")
    if scaffold_in(better):
        return Lost("scaffold")
    return Lost("unchanged") if better == answer.strip() else None
