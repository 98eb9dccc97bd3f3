"""A global selector on model scores: instruction-following difficulty (Cherry_LLM)."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator
from typing import Annotated

from annotated_types import Gt, Le

from sftrecipe import CallFailed, Context, Filter, Record, Reply, Rows, Verdict
from sftrecipe.record import question


class TopByIfd(Filter):
    """Keep the rows whose answer the question helps least: loss(A|Q) / loss(A)."""

    needs = frozenset({"loglikelihood"})
    paper = "Li et al. 2024, From Quantity to Quality (Cherry_LLM)"

    share: Annotated[float, Gt(0), Le(1)] = 0.1
    """Share of the rows with a score to keep."""
    most: Annotated[float, Gt(0)] = 1.0
    """A score above this means that question and answer do not belong together."""

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        scores, failures = array("d"), dict[int, CallFailed]()
        async for _, pair in ctx.map(lambda row: self._ask(row, ctx), rows):
            if isinstance(pair, CallFailed):
                failures[len(scores)] = pair
                scores.append(math.nan)
            else:
                scores.append(_ratio(*pair))
        for verdict in self._verdicts(scores, failures):
            yield verdict

    async def _ask(self, row: Record, ctx: Context) -> tuple[Reply, Reply]:
        answer = row.text("output")
        return await asyncio.gather(
            ctx.model.loglikelihood(question(row.columns), answer),
            ctx.model.loglikelihood("", answer),
        )

    def _verdicts(self, scores: array[float], failures: dict[int, CallFailed]) -> list[Verdict]:
        able = [at for at, score in enumerate(scores) if score <= self.most]  # NaN is never
        ranked = sorted(able, key=lambda at: (-scores[at], at))
        kept = set(ranked[: int(self.share * len(able))])
        return [self._verdict(at, score, kept, failures) for at, score in enumerate(scores)]

    def _verdict(
        self, at: int, score: float, kept: set[int], failures: dict[int, CallFailed]
    ) -> Verdict:
        if at in failures:
            return Verdict(False, failures[at].reason, detail=failures[at].message)
        if math.isnan(score):
            return Verdict(False, "no_score")
        if score > self.most:
            return Verdict(False, "mismatch", score)
        return Verdict(at in kept, "below_share", score)


def _ratio(given: Reply, alone: Reply) -> float:
    """NaN where there is no token to score, as for answers of one token."""
    if not (given.logprobs and alone.logprobs and sum(alone.logprobs)):
        return math.nan
    mean_given = sum(given.logprobs) / len(given.logprobs)
    return mean_given / (sum(alone.logprobs) / len(alone.logprobs))
