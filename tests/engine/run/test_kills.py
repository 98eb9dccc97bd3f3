"""Kill -9 at random moments: the run goes on, pays for nothing twice, and ends the same."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

KILLS = 50
RUNS = 10
IN_FLIGHT = 4


@pytest.mark.heavy
def test_fifty_kills(tmp_path: Path) -> None:
    drawn = random.Random(7)
    options = ("--reply", "items", "--items", 3, "--delay", 0.08, "--jitter", 0.9)
    with stand_in(*options) as server:
        untouched = Whole(tmp_path / "untouched", server.url)
        untouched.run("--concurrency", str(IN_FLIGHT))
        expected, asked = untouched.result(), set(server.count()["by_prompt"])
        kills = 0
        for number in range(RUNS):
            server.forget()
            whole = Whole(tmp_path / str(number), server.url)
            killed = _killed(whole, server, drawn)
            whole.run("--concurrency", str(IN_FLIGHT))
            kills += killed
            counted = server.count()["by_prompt"]
            assert set(counted) == asked
            assert sum(counted.values()) - len(counted) <= killed * IN_FLIGHT
            assert whole.result() == expected
            _check_ledger(whole)
        assert kills >= 0.8 * KILLS


def _killed(whole: Whole, server: StandIn, drawn: random.Random) -> int:
    """Kill the run some times while it works; how often it was still at work."""
    kills = 0
    for _ in range(KILLS // RUNS):
        before = server.requests()
        process = whole.start("--concurrency", str(IN_FLIGHT))
        wait = drawn.uniform(0, 0.5)
        while process.poll() is None and server.requests() == before and drawn.random() < 0.97:
            time.sleep(0.02)
        time.sleep(wait)
        kills += process.poll() is None
        process.kill()
        process.communicate()
        _check_ledger(whole)
    return kills


def _check_ledger(whole: Whole) -> None:
    ledger = whole.folder / ".sftrecipe" / "ledger.sqlite"
    if ledger.exists():
        with sqlite3.connect(ledger) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
