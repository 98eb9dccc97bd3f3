"""Dry runs: what is seen of well-behaved plugins, and that others do no harm."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sftrecipe import (
    Context,
    Filter,
    Generator,
    Record,
    Reject,
    RowFilter,
    RowGenerator,
    Rows,
    Verdict,
)
from sftrecipe.forecast.dry_run import DryRun, dry_run
from sftrecipe.forecast.expectation import DryRunResult
from sftrecipe.plugin.base import Plugin
from sftrecipe.recipe.recipe import Block
from sftrecipe.testing import RowList
from sftrecipe_registry.providers.openai.provider import OpenAI

SECONDS = 0.3


class Twice(RowGenerator):
    """Asks, and asks about the reply; catches what it should not."""

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        first = await ctx.model.complete(row.text("text"))
        second = await ctx.model.complete(first.text)
        return [ctx.row({"text": second.text})]


class Stubborn(Generator):
    """Asks again and again."""

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        number = 0
        while True:
            number += 1
            try:
                await ctx.model.complete("again", sample=number)
            except Exception:
                continue
            yield ctx.row({})


class Endless(Generator):
    """Computes and computes, until the test is over."""

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            sum(range(1000))
        yield ctx.row({})


class Sleepy(Generator):
    """Waits for something else than a model."""

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        await asyncio.sleep(60)
        yield ctx.row({})


class Broken(Generator):
    """Fails."""

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        raise RuntimeError
        yield


class Short(RowFilter):
    """Keeps short texts, without asking."""

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        return Verdict(len(row.text("text")) < 7)


class AskingFilter(RowFilter):
    """Asks of every row."""

    async def judge_row(self, row: Record, ctx: Context) -> Verdict:
        return Verdict((await ctx.model.complete(row.text("text"))).text == "yes")


class AskingAboutAll(Filter):
    """Asks of all rows at once."""

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        async for _, reply in ctx.map(lambda row: ctx.model.complete(row.text("text")), rows):
            yield Verdict(not isinstance(reply, Exception))


class KeepsAll(Filter):
    """Looks at all rows."""

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        return (Verdict(True) for _ in list(rows))


@pytest.fixture
def tried(tmp_path: Path) -> Callable[..., DryRunResult | None]:
    def run(plugin: Plugin, *texts: str, whole: bool = True) -> DryRunResult | None:
        block = Block("providers", "teacher", "openai", OpenAI(model="m"))
        rows = RowList.of(*({"text": text} for text in texts))
        trial = DryRun(plugin, Context(step="s"), {"": block}, rows, whole)
        return dry_run(trial, tmp_path / "ledger.sqlite", SECONDS)

    return run


def test_the_first_request_of_every_row_is_seen(tried: Callable[..., DryRunResult]) -> None:
    seen = tried(Twice(), "one", "two", "three", "two")
    assert [request.prompt for request in seen.missing["teacher"]] == ["one", "two", "three"]
    assert (seen.asking, seen.repeated, seen.held, seen.told) == (4, 1, 1, 4)
    assert seen.whole
    assert not seen.made


def test_asking_filters_are_seen(tried: Callable[..., DryRunResult]) -> None:
    for plugin in (AskingFilter(), AskingAboutAll()):
        seen = tried(plugin, "one", "two")
        assert seen.unanswered == 2
        assert seen.whole


def test_what_asks_nobody_is_done(tried: Callable[..., DryRunResult]) -> None:
    seen = tried(Short(), "short", "much longer")
    assert ([row.text("text") for row in seen.made], seen.told) == (["short"], 0)
    assert len(tried(KeepsAll(), "a", "b").made) == 2


def test_a_plugin_that_does_not_give_up_is_ended(tried: Callable[..., DryRunResult]) -> None:
    seen = tried(Stubborn(), "one")
    assert seen.told > 1
    assert not seen.whole


@pytest.mark.parametrize(
    "plugin", [Endless(), Sleepy(), Broken()], ids=lambda plugin: type(plugin).__name__
)
def test_a_plugin_that_misbehaves_is_given_up(
    tried: Callable[..., DryRunResult | None], plugin: Plugin
) -> None:
    began = time.monotonic()
    assert tried(plugin, "one") is None
    assert time.monotonic() - began < 2.5
