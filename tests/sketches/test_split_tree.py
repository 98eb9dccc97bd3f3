"""A tree of calls: bounded, in order, and a failing node takes nothing else with it."""

from __future__ import annotations

import pytest

from sftrecipe import CallFailed, Context, Record, Reject
from sftrecipe.plugin import Request
from sftrecipe.testing import FakeModel, RowList

from .split_tree import SplitTree

WORDS = [
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"),
    *("iota", "kappa", "lambda", "mu", "nu", "xi", "omicron", "pi"),
]
ROWS = RowList.of(
    *({"text": " ".join(WORDS[at:] + WORDS[:at])} for at in range(12)), stream="articles"
)


def halves(request: Request) -> str:
    words = request.prompt.split()
    if words[0] == "theta":
        raise CallFailed("refused", "unsafe")
    if words[0] == "delta" or (words[0] == "iota" and request.sample < 2):
        return "I would rather not."
    middle = len(words) // 2
    one, two = " ".join(words[:middle]), " ".join(words[middle:])
    return f"Question: What of {words[0]}?\nContext 1: {one}\nContext 2: {two}"


async def grown(plugin: SplitTree, concurrency: int, delays: int) -> list[Record | Reject]:
    model = FakeModel(halves, seed=delays)
    ctx = Context(step="tree", models={"": model}, concurrency=concurrency)
    return [item async for item in plugin.generate(ROWS, ctx)]


@pytest.mark.parametrize(("concurrency", "delays"), [(1, 1), (64, 2), (64, 3)])
async def test_is_the_same_at_every_concurrency(concurrency: int, delays: int) -> None:
    plugin = SplitTree()
    assert await grown(plugin, concurrency, delays) == await grown(plugin, 8, 0)


async def test_is_deep_and_bounded() -> None:
    made = await grown(SplitTree(depth=3), 8, 0)
    levels = {row.tags["level"] for row in made if isinstance(row, Record)}
    assert levels == {"0", "1", "2"}


async def test_a_node_fails_alone_and_says_why() -> None:
    made = await grown(SplitTree(), 8, 0)
    lost = [item for item in made if isinstance(item, Reject)]
    assert {item.reason for item in lost} == {"refused", "not_split"}
    assert all(len(item.record.parents) == 1 for item in lost)
    assert all(len(item.record.calls) == 4 for item in lost if item.reason == "not_split")
    whole = next(row.id for row in ROWS if row.text("text").startswith("alpha"))
    survivors = [row for row in made if isinstance(row, Record) and row.parents == (whole,)]
    assert len(survivors) > 1


async def test_a_context_that_does_not_shrink_ends_the_branch() -> None:
    def same(request: Request) -> str:
        return f"Question: Again?\nContext 1: {request.prompt}\nContext 2: {request.prompt}"

    model = FakeModel(same)
    ctx = Context(step="tree", models={"": model})
    made = await SplitTree().generate_row(ROWS[0], ctx)
    assert len(made) == len(model.requests) == 1
