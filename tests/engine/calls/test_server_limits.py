"""Pacing by what servers tell of their limits: in simulated time, and over real HTTP."""

from __future__ import annotations

import asyncio
import heapq
import time
from pathlib import Path

import pytest

from sftrecipe.calls.limits.server_limits import PERIOD, PROBING, Allowance, Mark
from sftrecipe.plugin.provider import Limits, LimitSeen
from sftrecipe_registry.shared.http.rate_headers import limits_in, seconds_until

from ...support.asked_calls import say_all, session
from ...support.standin import stand_in


class Vendor:
    """A limit of so many requests in 60 s, in simulated time."""

    def __init__(self, form: str, limit: int, *, tells_reset: bool = True) -> None:
        self.form, self.limit, self.tells_reset = form, limit, tells_reset
        self.left, self.at = float(limit), 0.0
        self.refused = 0

    def take(self, now: float) -> tuple[bool, LimitSeen]:
        rate = self.limit / 60
        if self.form == "bucket":
            self.left = min(self.limit, self.left + (now - self.at) * rate)
            self.at = now
        elif now - self.at >= 60:
            self.left, self.at = float(self.limit), now - (now - self.at) % 60
        answered = self.left >= 1
        self.left -= answered
        self.refused += not answered
        reset = (self.limit - self.left) / rate if self.form == "bucket" else 60 - (now - self.at)
        return answered, LimitSeen(self.limit, int(self.left), reset if self.tells_reset else None)


def _simulated(vendor: Vendor, calls: int, concurrency: int, latency: float) -> float:
    """Seconds that so many answered calls take through an allowance."""
    allowance, now, answered = Allowance(), 0.0, 0
    back: list[tuple[float, int, bool, LimitSeen, Mark]] = []
    number = 0
    while answered < calls:
        if len(back) < concurrency and allowance.pause(1, now) <= 0:
            mark = allowance.leaves(1, now)
            number += 1
            heapq.heappush(back, (now + latency, number, *vendor.take(now), mark))
            continue
        step = now + max(0.01, allowance.pause(1, now)) if len(back) < concurrency else float("inf")
        if back and back[0][0] <= step:
            now, _, good, seen, mark = heapq.heappop(back)
            answered += good
            allowance.told(seen, mark, now, answered=good)
        else:
            now = step
    return now


@pytest.mark.parametrize("form", ["window", "bucket"])
@pytest.mark.parametrize("tells_reset", [True, False])
@pytest.mark.parametrize(("limit", "concurrency"), [(60, 16), (300, 64), (3000, 64)])
@pytest.mark.parametrize("latency", [0.2, 5.0])
def test_a_told_limit_is_used_up_and_kept(
    form: str, tells_reset: bool, limit: int, concurrency: int, latency: float
) -> None:
    vendor = Vendor(form, limit, tells_reset=tells_reset)
    calls = 5 * limit
    seconds = _simulated(vendor, calls, concurrency, latency)
    floor = max(4 * 60.0, calls * latency / concurrency)
    assert vendor.refused <= calls * 0.01
    assert seconds <= 1.35 * floor + 60, seconds


def test_a_large_limit_slows_nothing() -> None:
    for tells_reset in (True, False):
        vendor = Vendor("bucket", 1_000_000, tells_reset=tells_reset)
        assert _simulated(vendor, 2000, 256, 0.2) == pytest.approx(1.6)


def test_nothing_left_waits_for_the_reset() -> None:
    allowance = Allowance()
    mark = allowance.leaves(1, 100.0)
    allowance.told(LimitSeen(10, 0, 2.0), mark, 100.5, answered=True)
    assert allowance.pause(1, 100.5) == pytest.approx(2.0)
    assert allowance.pause(1, 102.6) == 0


@pytest.mark.parametrize(("reset", "then"), [(300.0, PERIOD), (36_000.0, 0.0)])
def test_a_long_periods_limit_is_not_spread(reset: float, then: float) -> None:
    allowance = Allowance()
    mark = allowance.leaves(1, 0.0)
    allowance.told(LimitSeen(1000, 20, reset), mark, 0.0, answered=True)
    for _ in range(20):
        assert allowance.pause(1, 1.0) == 0
        allowance.leaves(1, 1.0)
    assert allowance.pause(1, 1.0) == pytest.approx(then)  # a day's: the server ends the run


def test_a_server_that_answers_beyond_its_limit_is_not_believed() -> None:
    allowance, now, waits = Allowance(), 0.0, 0
    for _ in range(50):
        pause = allowance.pause(1, now)
        waits += pause > 0
        now += pause
        mark = allowance.leaves(1, now)
        now += 0.2
        allowance.told(LimitSeen(100, 0, None), mark, now, answered=True)
    assert waits == 2
    assert now < 2 * PROBING + 50 * 0.2 + 0.1


def test_replies_out_of_order_do_not_bring_back_what_is_gone() -> None:
    allowance = Allowance()
    first, second = allowance.leaves(1, 0.0), allowance.leaves(1, 0.0)
    allowance.told(LimitSeen(2, 0, 9.0), second, 1.0, answered=True)
    allowance.told(LimitSeen(2, 1, 10.0), first, 1.0, answered=True)
    assert allowance.pause(1, 1.0) > 0


def test_more_units_than_the_limit_still_leave() -> None:
    allowance = Allowance()
    mark = allowance.leaves(500, 0.0)
    allowance.told(LimitSeen(100, 0, 1.0), mark, 0.0, answered=True)
    assert allowance.pause(500, 1.5) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1), ("6m0s", 360), ("12ms", 0.012), ("2m59.56s", 179.56), ("1h2m", 3720),
        ("1337", 1337), ("0", 0), ("-3", None), ("soon", None), ("", None), ("nan", None),
        ("1e999", None), ("9" * 5000, None), ("1s2", None), ("1999-01-01T00:00:00Z", 0), ("12", 12),
    ],
)  # fmt: skip
def test_resets_in_every_form(text: str, seconds: float | None) -> None:
    assert seconds_until(text) == (None if seconds is None else pytest.approx(seconds))


def test_a_reset_that_is_a_date() -> None:
    assert seconds_until(str(time.time() + 30)) == pytest.approx(30, abs=2)


def test_headers_of_every_vendor() -> None:
    assert limits_in({"content-type": "x"}) is None
    qianfan = {"x-ratelimit-limit-requests": "300", "x-ratelimit-remaining-requests": "299"}
    seen = limits_in(qianfan)
    assert seen is not None
    assert (seen.requests, seen.tokens) == (LimitSeen(300, 299, None), LimitSeen())
    anthropic = {
        "anthropic-ratelimit-tokens-limit": "40000",
        "anthropic-ratelimit-tokens-remaining": "39000",
        "anthropic-ratelimit-tokens-reset": "1999-01-01T00:00:00Z",
    }
    seen = limits_in(anthropic)
    assert seen is not None
    assert seen.tokens == LimitSeen(40000, 39000, 0.0)
    for nonsense in ("", "-1", "many", "\ud800", "nan", "inf", "1" * 9999):
        assert limits_in(dict.fromkeys(qianfan, nonsense)) is None


async def _timed(url: str, folder: Path, calls: int, **options: object) -> float:
    async with session(url, folder, **options) as opened:  # type: ignore[arg-type]
        model = opened.model("teacher", "step")
        began = time.perf_counter()
        replies = await say_all(model, [f"question {number}" for number in range(calls)])
        assert not any(isinstance(reply, Exception) for reply in replies)
        return time.perf_counter() - began


@pytest.mark.parametrize("form", ["window", "bucket"])
async def test_a_server_that_tells_its_limit_need_not_refuse(form: str, tmp_path: Path) -> None:
    told = ("--rate", 40, "--rate-period", 1, "--rate-form", form)
    with stand_in("--delay", 0.02, *told) as server:
        await _timed(server.url, tmp_path, 160, concurrency=16)
        counted = server.count()
    assert counted["turned_away"] <= 2, counted["turned_away"]
    assert counted["requests"] <= 162


async def test_a_server_with_a_huge_limit_runs_at_full_speed(tmp_path: Path) -> None:
    with stand_in("--delay", 0.05, "--rate", 10**9) as server:
        async with asyncio.timeout(15):
            await _timed(server.url, tmp_path, 600, concurrency=64)
        assert server.count()["turned_away"] == 0
        assert server.count()["most_in_flight"] >= 60


async def test_nonsense_in_the_headers_changes_nothing(tmp_path: Path) -> None:
    with stand_in("--rate", 10**9, "--rate-form", "garbage") as server:
        async with asyncio.timeout(15):
            await _timed(server.url, tmp_path, 50)


async def test_the_recipes_own_limit_wins(tmp_path: Path) -> None:
    told = ("--rate", 4, "--rate-period", 1)
    with stand_in(*told) as server:
        await _timed(server.url, tmp_path, 8, limits=Limits(rpm=60_000))
        assert server.count()["turned_away"] > 0
