"""Concurrency that adapts: full servers, stray refusals, servers that recover."""

from __future__ import annotations

import asyncio

import pytest

from sftrecipe.calls.limits.pace import ConcurrencyLimit, Meter


class Server:
    """Admits so many calls at once and refuses some by chance."""

    def __init__(self, admits: int, stray: int = 0) -> None:
        self.admits = admits
        self.stray = stray
        self.inside = self.calls = self.refused = 0

    async def ask(self) -> bool:
        self.calls += 1
        if self.inside >= self.admits or (self.stray and self.calls % self.stray == 0):
            self.refused += 1
            await asyncio.sleep(0.001)
            return False
        self.inside += 1
        await asyncio.sleep(0.05)
        self.inside -= 1
        return True


async def _drive(limit: ConcurrencyLimit, server: Server, calls: int) -> None:
    async def call() -> None:
        answered = False
        while not answered:
            ticket = await limit.enter()
            answered = await server.ask()
            limit.leave(ticket, turned_away=not answered)
            if not answered:
                await asyncio.sleep(0.05)

    await asyncio.gather(*(call() for _ in range(calls)))


async def test_a_full_server_is_found_at_once() -> None:
    limit, server = ConcurrencyLimit(256), Server(64)
    await _drive(limit, server, 2000)
    assert 60 <= limit.limit <= 72
    assert server.refused < 230
    assert limit.in_flight == 0 or await asyncio.sleep(0.2) is None


async def test_stray_refusals_change_nothing() -> None:
    limit, server = ConcurrencyLimit(64), Server(1000, stray=10)
    await _drive(limit, server, 1000)
    assert limit.limit == 64


async def test_stray_refusals_below_a_known_limit_do_not_collapse_it() -> None:
    limit, server = ConcurrencyLimit(256), Server(64, stray=10)
    await _drive(limit, server, 3000)
    assert limit.limit >= 50


async def test_a_server_that_recovers_is_used_again() -> None:
    limit, server = ConcurrencyLimit(64), Server(8)
    await _drive(limit, server, 200)
    assert limit.limit < 16
    server.admits = 1000
    await _drive(limit, server, 1500)
    assert limit.limit >= 40


async def test_a_place_is_not_lost_with_its_waiter() -> None:
    limit = ConcurrencyLimit(1)
    ticket = await limit.enter()
    waiting = [asyncio.create_task(limit.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    limit.leave(ticket)
    waiting[1].cancel()  # it has the place already, but has not run yet
    await asyncio.sleep(0)
    assert await asyncio.wait_for(waiting[2], 1)


async def test_a_meter_takes_more_than_a_burst_on_credit() -> None:
    meter = Meter(600)  # ten a second
    loop = asyncio.get_running_loop()
    began = loop.time()
    await meter.take(12)
    await meter.take(1)
    assert loop.time() - began == pytest.approx(0.3, abs=0.1)
    meter.give_back(100)
    await meter.take(10)
    assert loop.time() - began < 0.5
