"""The sketches over the real ledger: the same at any concurrency, and nothing asked twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sftrecipe import CallFailed, Context, Provider
from sftrecipe.calls.session import open_session
from sftrecipe.plugin import Adapter, Answer, Capability, Connecting, Request
from sftrecipe.recipe.recipe import Block

from . import test_growing_pool, test_pairwise_judge, test_split_tree, test_top_by_ifd
from .growing_pool import GrowingPool
from .split_tree import SplitTree
from .top_by_ifd import TopByIfd

Say = Callable[[Request], str | Answer]


class Shuffled:
    """Answers after a delay that differs from run to run."""

    def __init__(self, say: Say, sent: list[Request]) -> None:
        self._say = say
        self._sent = sent

    async def send(self, request: Request) -> Answer:
        self._sent.append(request)
        await asyncio.sleep(random.random() * 0.01)
        said = self._say(request)
        return Answer(said, output_tokens=5) if isinstance(said, str) else said


class Scripted(Provider):
    """Says what a test wants."""

    model: str
    """Which of the scripts."""
    scripts: ClassVar[dict[str, Say]] = {
        "pool": test_growing_pool.invented,
        "tree": test_split_tree.halves,
        "ifd": test_top_by_ifd.scored,
        "base": test_pairwise_judge.long_winded,
        "tuned": test_pairwise_judge.terse,
        "judge": test_pairwise_judge.longer_wins,
    }
    sent: ClassVar[list[Request]] = []

    def capabilities(self) -> frozenset[Capability]:
        return frozenset({"chat", "complete", "loglikelihood"})

    def model_name(self) -> str:
        return self.model

    @asynccontextmanager
    async def connect(self, connecting: Connecting) -> AsyncIterator[Adapter]:
        yield Shuffled(self.scripts[self.model], self.sent)


async def pool(models: dict[str, Any], concurrency: int) -> Sequence[object]:
    ctx = Context(step="grow", models={"": models["pool"]}, concurrency=concurrency)
    return [item async for item in GrowingPool().generate(test_growing_pool.SEEDS, ctx)]


async def tree(models: dict[str, Any], concurrency: int) -> Sequence[object]:
    ctx = Context(step="tree", models={"": models["tree"]}, concurrency=concurrency)
    return [item async for item in SplitTree().generate(test_split_tree.ROWS, ctx)]


async def ifd(models: dict[str, Any], concurrency: int) -> Sequence[object]:
    ctx = Context(step="ifd", models={"": models["ifd"]}, concurrency=concurrency)
    return [verdict async for verdict in TopByIfd().judge(test_top_by_ifd.ROWS, ctx)]


async def judge(models: dict[str, Any], concurrency: int) -> Sequence[object]:
    named = {"": models["judge"], "base": models["base"], "tuned": models["tuned"]}
    ctx = Context(step="pairwise", models=named, concurrency=concurrency)
    plugin = test_pairwise_judge.Pairwise(first="base", second="tuned")
    judgement = await plugin.evaluate(test_pairwise_judge.ROWS, ctx)
    return [*judgement.metrics.items(), *judgement.rows]


Work = Callable[[dict[str, Any], int], Any]


async def asked(work: Work, ledger: Path, concurrency: int) -> tuple[Sequence[object], int]:
    """What the work makes, and how many requests it sent."""
    Scripted.sent.clear()
    providers = {
        name: Block("providers", name, "scripted", Scripted(model=name))
        for name in Scripted.scripts
    }
    async with open_session(providers, ledger, run="sketch", concurrency=concurrency) as session:
        models = {name: session.model(name, "step") for name in providers}
        made: Sequence[object] = await work(models, concurrency)
    return made, len(Scripted.sent)


@pytest.mark.parametrize("work", [pool, tree, ifd, judge])
async def test_same_at_any_concurrency_and_nothing_asked_twice(work: Work, tmp_path: Path) -> None:
    one, calls = await asked(work, tmp_path / "one.sqlite", 1)
    many, again = await asked(work, tmp_path / "many.sqlite", 64)
    assert one == many
    assert calls == again > 0
    assert (await asked(work, tmp_path / "many.sqlite", 64))[0] == many
    assert all(fails(request) for request in Scripted.sent), "only what failed is asked again"


def fails(request: Request) -> bool:
    """Whether none of the scripts answers it."""
    for say in Scripted.scripts.values():
        try:
            say(request)
        except CallFailed:
            return True
        except LookupError:  # another script's request
            continue
    return False
