"""The pool grows the same way whatever the order of the replies."""

from __future__ import annotations

import random

import pytest

from sftrecipe import CallFailed, Context, Record, Reject
from sftrecipe.plugin import Request
from sftrecipe.testing import FakeModel, RowList

from .growing_pool import GrowingPool

TOPICS = [
    *("sleep", "diet", "fever", "cough", "rash", "knee", "heart"),
    *("sugar", "eyes", "teeth", "back", "skin", "pain", "travel"),
]
VERBS = ["Explain", "describe", "list", "compare", "plan", "suggest", "outline", "check"]
SEEDS = RowList.of(
    *({"instruction": f"{VERBS[at % 8]} what helps with {topic} at home"}
      for at, topic in enumerate(TOPICS)),
    stream="seeds",
)  # fmt: skip


def invented(request: Request) -> str:
    chance = random.Random(request.prompt + str(request.sample))
    if chance.random() < 0.1:
        raise CallFailed("final", "no such thing")
    lines = [
        f"{chance.choice(VERBS)} {' '.join(chance.sample(TOPICS, 4))} for {chance.choice(TOPICS)}"
        for _ in range(3)
    ]
    return f" {lines[0]}\n10. {lines[1]}\n11. {SEEDS[0].text('instruction')}\n12. {lines[2]}"


async def grown(concurrency: int, delays: int, rounds: int = 4) -> list[Record | Reject]:
    model = FakeModel(invented, seed=delays)
    ctx = Context(step="grow", seed=42, models={"": model}, concurrency=concurrency)
    made = [item async for item in GrowingPool(rounds=rounds).generate(SEEDS, ctx)]
    assert len(model.requests) == 5 * rounds
    assert ctx.counts == {"rounds": rounds}
    return made


@pytest.mark.parametrize(("concurrency", "delays"), [(1, 0), (2, 1), (64, 2), (64, 3)])
async def test_is_the_same_at_every_concurrency(concurrency: int, delays: int) -> None:
    assert await grown(concurrency, delays) == await grown(16, 99)


async def test_shows_what_it_made_and_keeps_only_what_is_new() -> None:
    made = await grown(16, 0)
    rows = [item for item in made if isinstance(item, Record)]
    own = {row.id for row in rows}
    assert any(own & set(row.parents) for row in rows), "the pool feeds the prompts"
    assert all(len(row.parents) == 8 and len(row.calls) == 1 for row in rows)
    reasons = {item.reason for item in made if isinstance(item, Reject)}
    assert reasons == {"too_similar", "call_failed"}
    assert len({row.text("instruction") for row in rows}) == len(rows)


async def test_more_rounds_only_add() -> None:
    short, long = await grown(16, 0, rounds=2), await grown(16, 0, rounds=4)
    assert long[: len(short)] == short
