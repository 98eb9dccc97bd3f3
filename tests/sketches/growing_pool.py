"""A generator that grows its own pool, in rounds: Self-Instruct's bootstrap."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from annotated_types import Ge, Gt, Le
from rapidfuzz.distance import LCSseq

from sftrecipe import CallFailed, Context, Generator, Record, Reject, Reply, Rows
from sftrecipe.plugin import Expected, Inputs, Sampling

Prompt = tuple[str, list[Record], int]
"""What is asked, the rows shown in it, and the number of its sample."""


class GrowingPool(Generator, Sampling):
    """New instructions after eight shown ones: up to two of its own making, the rest seeds."""

    needs = frozenset({"complete"})

    rounds: Annotated[int, Gt(0)] = 4
    """Rounds at most; a round sees what the rounds before it made."""
    prompts: Annotated[int, Gt(0)] = 5
    """Prompts in a round."""
    enough: Annotated[int, Gt(0)] = 1000
    """Stop after the round that brings so many."""
    similarity: Annotated[float, Ge(0), Le(1)] = 0.7
    """Rouge-L F1 to anything in the pool that is too much."""

    def columns(self, inputs: Inputs) -> Inputs:
        return frozenset({"instruction"})

    def expected(self, least: int, most: int | None) -> Expected:
        return Expected((self.prompts, self.rounds * self.prompts), (0, None))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        seeds, made = list(rows), list[Record]()
        known = [_words(row.text("instruction")) for row in seeds]
        for number in range(self.rounds):
            asked = [self._prompt(seeds, made, number, at, ctx) for at in range(self.prompts)]
            async for (text, shown, _), reply in ctx.map(
                lambda prompt: self._ask(prompt, ctx), asked
            ):
                for item in self._novel(text, shown, reply, known, ctx):
                    if isinstance(item, Record):
                        made.append(item)
                    yield item
            ctx.count("rounds")
            ctx.progress(len(made))
            if len(made) >= self.enough:
                break

    def _prompt(
        self, seeds: Sequence[Record], made: Sequence[Record], number: int, at: int, ctx: Context
    ) -> Prompt:
        chance = ctx.random("prompt", number, at)
        own = chance.sample(list(made), min(2, len(made)))
        shown = own + chance.sample(list(seeds), min(8 - len(own), len(seeds)))
        chance.shuffle(shown)
        lines = [f"{place}. {row.text('instruction')}" for place, row in enumerate(shown, 1)]
        return "\n".join([*lines, f"{len(shown) + 1}."]), shown, at

    async def _ask(self, prompt: Prompt, ctx: Context) -> Reply:
        return await ctx.model.complete(prompt[0], sample=prompt[2], sampling=self.sampling())

    def _novel(
        self,
        text: str,
        shown: list[Record],
        reply: Reply | CallFailed,
        known: list[list[str]],
        ctx: Context,
    ) -> list[Record | Reject]:
        if isinstance(reply, CallFailed):
            return [ctx.reject({"prompt": text}, reply.reason, reply.message, parents=shown)]
        items: list[Record | Reject] = []
        for instruction in re.split(r"\n?\d+\s?\. ?", reply.text):
            columns = {"instruction": instruction.strip()}
            words = _words(instruction)
            if not words:
                continue
            most = max((_rouge(words, other) for other in known), default=0.0)
            if most > self.similarity:
                items.append(
                    ctx.reject(columns, "too_similar", most, parents=shown, replies=[reply])
                )
            else:
                known.append(words)
                scores = {"most_similar": most}
                items.append(ctx.row(columns, parents=shown, replies=[reply], scores=scores))
        return items


def _words(text: str) -> list[str]:
    return re.findall("[a-z0-9]+", text.lower())


def _rouge(one: list[str], other: list[str]) -> float:
    common: int = LCSseq.similarity(one, other)
    return 2 * common / (len(one) + len(other))
