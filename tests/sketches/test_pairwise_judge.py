"""An evaluator that asks two models, and a third who of them is right, in both orders."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from sftrecipe import CallFailed, Context, Judge, Record, Rows
from sftrecipe.plugin import Judgement, ProviderMarker, ProviderName, Request
from sftrecipe.plugin.option_types import marked
from sftrecipe.record import question
from sftrecipe.testing import FakeModel, RowList


class Pairwise(Judge):
    """Which of two models answers better; a win in one order alone is a tie."""

    needs = frozenset({"chat"})

    first: ProviderName
    """One of the two."""
    second: ProviderName
    """The other."""

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        wins: Counter[str] = Counter(first=0, second=0, tie=0, failed=0)
        judged = []
        async for _, outcome in ctx.map(lambda row: self._compare(row, ctx), rows):
            if isinstance(outcome, CallFailed):
                wins["failed"] += 1
            else:
                wins[outcome.tags["winner"]] += 1
                judged.append(outcome)
        asked = max(len(judged), 1)
        return Judgement({f"{name}_rate": count / asked for name, count in wins.items()}, judged)

    async def _compare(self, row: Record, ctx: Context) -> Record:
        asked = question(row.columns)
        answers = await asyncio.gather(
            *(
                ctx.models[name].chat([{"role": "user", "content": asked}])
                for name in (self.first, self.second)
            )
        )
        one, two = (answer.text for answer in answers)
        verdicts = await asyncio.gather(
            *(
                ctx.model.chat([{"role": "user", "content": f"{asked}\nA: {a}\nB: {b}"}])
                for a, b in ((one, two), (two, one))
            )
        )
        said = "".join(verdict.text for verdict in verdicts)
        winner = {"AB": "first", "BA": "second"}.get(said, "tie")
        columns = {"instruction": asked, "first": one, "second": two}
        replies = [*answers, *verdicts]
        return ctx.row(columns, parents=[row], replies=replies, tags={"winner": winner})


ROWS = RowList.of(*({"instruction": f"What is {at}?"} for at in range(30)), stream="holdout")


def long_winded(request: Request) -> str:
    return str(request.messages[-1]["content"]) * 3


def terse(request: Request) -> str:
    asked: str = request.messages[-1]["content"]
    if asked == "What is 13?":
        raise CallFailed("refused", "unlucky")
    return asked[: 10 + 60 * ("2" in asked)]


def longer_wins(request: Request) -> str:
    _, one, two = request.messages[-1]["content"].split("\n")
    return "A" if len(one) >= len(two) else "B"


@pytest.mark.parametrize("delays", [0, 1])
async def test_judges_in_both_orders(delays: int) -> None:
    models = {
        "": FakeModel(longer_wins, seed=delays),
        "base": FakeModel(long_winded, seed=delays),
        "tuned": FakeModel(terse, seed=delays),
    }
    judge = Pairwise(first="base", second="tuned")
    judgement = await judge.evaluate(ROWS, Context(step="pairwise", models=models))
    assert judgement.metrics["first_rate"] == 1.0
    assert judgement.metrics["failed_rate"] == pytest.approx(1 / 29)
    assert all(len(row.calls) == 4 and len(row.parents) == 1 for row in judgement.rows)


def test_the_engine_sees_which_providers_it_asks() -> None:
    judge = Pairwise(first="base", second="tuned")
    named = [value for _, marker, value in marked(judge) if isinstance(marker, ProviderMarker)]
    assert named == ["base", "tuned"]
