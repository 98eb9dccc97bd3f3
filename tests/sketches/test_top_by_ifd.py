"""A selector that ranks all rows by what a model thinks of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sftrecipe import CallFailed, Context, Verdict
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList

from .top_by_ifd import TopByIfd

ROWS = RowList.of(
    *(
        {"instruction": f"Question {at}?", "output": f"answer {at} " * (at % 5)}
        for at in range(200)
    ),
    stream="all",
)


def scored(request: Request) -> Answer:
    words = request.answer.split()
    if words[1:2] == ["7"]:
        raise CallFailed("final", "too long")
    ease = random.Random(request.answer).uniform(0.3, 1.1) if request.prompt else 1.0
    return Answer("", logprobs=tuple(-2.0 * ease for _ in words[1:]))


async def judged(concurrency: int, delays: int, share: float = 0.1) -> list[Verdict]:
    ctx = Context(step="ifd", models={"": FakeModel(scored, seed=delays)}, concurrency=concurrency)
    return [verdict async for verdict in TopByIfd(share=share).judge(ROWS, ctx)]


@pytest.mark.parametrize(("concurrency", "delays"), [(1, 1), (64, 2)])
async def test_is_the_same_at_every_concurrency(concurrency: int, delays: int) -> None:
    assert await judged(concurrency, delays) == await judged(16, 0)


async def test_keeps_the_hardest_tenth_of_those_with_a_score() -> None:
    verdicts = await judged(16, 0)
    assert len(verdicts) == len(ROWS)
    reasons = Counter(verdict.reason for verdict in verdicts if not verdict.keep)
    assert reasons["no_score"] == 40
    assert reasons["call_failed"] == 1
    able = [v.value for v in verdicts if v.value is not None and v.value <= 1]
    kept = [v.value for v in verdicts if v.keep and v.value is not None]
    assert len(kept) == len(able) // 10
    assert sorted(kept) == sorted(able)[-len(kept) :]
    assert all(value == value for value in able), "no NaN among the ranked"
