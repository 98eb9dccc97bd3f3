"""Attempts that brought no reply but may be billed: they count, in this engine and in the next."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sftrecipe.calls.ledger.counted_calls import read_call, totals
from sftrecipe.calls.limits.budget import BudgetReached
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.recipe.recipe import Budget

from ...support.asked_calls import say, session
from ...support.standin import StandIn, stand_in

LEDGER = ".sftrecipe/ledger.sqlite"
PRICE = {"input": 1e6, "output": 1e6, "currency": "CNY"}  # one yuan a token
LIMITS = {"timeout": 0.4, "attempts": 3}
_ENGINE = Path(__file__).with_name("engine.py")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.mark.parametrize("fault", ["slow", "garbage", "half"])
async def test_they_count_and_the_next_engine_knows(
    server: StandIn, tmp_path: Path, fault: str
) -> None:
    async with session(server.url, tmp_path, limits=LIMITS, price=PRICE) as opened:
        model = opened.model("teacher", "ask")
        await say(model, f"[[{fault} x2]]", sampling={"max_tokens": 20})
        spent = opened.spent()
        answered = opened.total().cost
    assert spent.requests == 3
    assert spent.cost > answered + 2 * 20
    async with session(server.url, tmp_path, price=PRICE) as opened:
        assert opened.spent() == spent
    (total,) = totals(tmp_path / LEDGER)
    assert total.cost == answered
    assert total.lost_cost == pytest.approx(spent.cost - answered)


async def test_what_was_turned_away_costs_nothing(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path, price=PRICE) as opened:
        model = opened.model("teacher", "ask")
        await say(model, "[[429 x2]] [[500 x1]]", sampling={"max_tokens": 20})
        assert opened.spent().cost == opened.total().cost
    (total,) = totals(tmp_path / LEDGER)
    assert (total.lost_tokens, total.lost_cost, total.requests) == (0, 0.0, 3)


async def test_a_call_that_fails_for_good_leaves_them(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path, limits=LIMITS, price=PRICE) as opened:
        model = opened.model("teacher", "ask")
        await say(model, "fine", sampling={"max_tokens": 20})
        with pytest.raises(CallFailed) as caught:
            await say(model, "[[slow]]", sampling={"max_tokens": 20})
        spent = opened.spent()
    async with session(server.url, tmp_path, price=PRICE) as opened:
        assert opened.spent() == spent
    call = read_call(tmp_path / LEDGER, caught.value.key)
    assert call is not None
    assert (call.state, call.attempts, call.prompt) == ("failed", 3, "user: [[slow]]")


async def test_a_killed_engine_leaves_what_it_had_in_flight(tmp_path: Path) -> None:
    with stand_in("--delay", 30) as server:
        _killed_at_work(server, tmp_path, lambda: server.count()["in_flight"] == 8)
        async with session(server.url, tmp_path, run="r") as opened:
            spent = opened.spent()
    assert spent.requests == 8
    assert spent.tokens > 8 * 1000  # each may have written as much as was reserved for it


async def test_retries_are_counted_across_a_kill(tmp_path: Path) -> None:
    with stand_in("--faults", "500=1") as server:
        _killed_at_work(server, tmp_path, lambda: server.requests() >= 20)
        asked = server.requests()
    async with session("http://127.0.0.1:9/v1", tmp_path, run="r") as opened:
        # What is written down may not have reached the server when the engine was killed.
        assert asked <= opened.spent().requests <= asked + 8


async def test_the_wall_holds_over_engines_that_time_out(tmp_path: Path) -> None:
    budget = Budget(max_cost=400, currency="CNY")
    with stand_in("--faults", "slow=0.5") as server:
        for _ in range(6):
            try:
                async with session(
                    server.url, tmp_path, budget=budget, limits=LIMITS, price=PRICE
                ) as opened:
                    model = opened.model("teacher", "ask")
                    asking = (say(model, f"q {n}", sampling={"max_tokens": 20}) for n in range(40))
                    await asyncio.gather(*asking, return_exceptions=True)
                    await say(model, "one more", sampling={"max_tokens": 20})
            except (BudgetReached, CallFailed):
                pass
    found = totals(tmp_path / LEDGER)
    assert 350 < sum(total.cost + total.lost_cost for total in found) <= 400


@pytest.mark.parametrize("version", [1, 2])
async def test_a_ledger_of_an_earlier_version_is_brought_up_to_date(
    server: StandIn, tmp_path: Path, version: int
) -> None:
    async with session(server.url, tmp_path, run="whole") as opened:
        await say(opened.model("teacher", "ask"), "before")
        spent = opened.spent()
    _date_back(tmp_path, version)
    assert totals(tmp_path / LEDGER)[0].calls == 1
    async with session(server.url, tmp_path, run="whole") as opened:
        assert opened.spent() == spent
        model = opened.model("teacher", "ask")
        await say(model, "before")
        await say(model, "after")
        assert opened.total().cached == 1


def _date_back(folder: Path, version: int) -> None:
    """Make the ledger one of an earlier version, which named runs by their folders."""
    new = {
        4: ("reasoning", "tool_calls"),
        3: ("cached_tokens", "cached_price", "estimated"),
        2: ("lost_tokens", "lost_cost"),
    }
    with closing(sqlite3.connect(folder / LEDGER)) as connection:
        for later in range(version + 1, 5):
            for column in new[later]:
                connection.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.execute("DROP TABLE accounts")
        connection.execute("DROP TABLE whole_replies")
        connection.execute("UPDATE calls SET run = ?", (f"{folder}/runs/whole",))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


def _killed_at_work(server: StandIn, folder: Path, moment: Callable[[], bool]) -> None:
    """Start an engine that asks eight questions at once, and kill it at a moment."""
    command = [sys.executable, str(_ENGINE), server.url, str(folder), "8", "8"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as engine:
        while not moment():
            time.sleep(0.02)
        engine.kill()
