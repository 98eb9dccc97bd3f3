"""Killed engines, several engines at once, damaged and foreign ledgers."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from sftrecipe.calls.ledger.counted_calls import in_flight, totals, verify
from sftrecipe.calls.ledger.database import open_ledger
from sftrecipe.errors import SftrecipeError

from ...support.asked_calls import say, session
from ...support.standin import StandIn, stand_in

_ENGINE = Path(__file__).with_name("engine.py")


def _engine(server: StandIn, folder: Path, count: int, concurrency: int) -> subprocess.Popen[str]:
    command = [sys.executable, _ENGINE, server.url, folder, count, concurrency]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_only_calls_in_flight_are_asked_again(tmp_path: Path) -> None:
    count, concurrency = 1500, 16
    ledger = tmp_path / ".sftrecipe/ledger.sqlite"
    moments, lost = random.Random(7), 0
    with stand_in("--delay", 0.05, "--jitter", 1) as server:
        for _ in range(20):  # 50 were run too: a minute
            engine = _engine(server, tmp_path, count, concurrency)
            asked = server.requests()
            while server.requests() == asked and engine.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.08))
            engine.send_signal(signal.SIGKILL)
            engine.communicate()
            now_lost = len(in_flight(ledger))
            assert now_lost <= concurrency
            lost += now_lost
        out, _ = _engine(server, tmp_path, count, concurrency).communicate()
        first = out.split()
        counted = server.count()
        out, _ = _engine(server, tmp_path, count, concurrency).communicate()
        assert server.requests() == counted["requests"]
    assert lost > 50  # the kills came in the middle of it
    asked, cached, told = out.split()
    assert (asked, cached) == ("0", str(count))
    assert told == first[2]
    assert counted["prompts"] == count
    assert counted["requests"] <= count + lost
    assert verify(ledger) == count
    assert list((tmp_path / ".sftrecipe/engines").iterdir()) == []


def test_two_engines_ask_nothing_twice(tmp_path: Path) -> None:
    with stand_in("--delay", 0.05, "--jitter", 1) as server:
        engines = [_engine(server, tmp_path, 400, 16) for _ in range(3)]
        told = [engine.communicate(timeout=60)[0].split() for engine in engines]
        counted = server.count()
    assert counted["requests"] == counted["prompts"] == 400
    assert sum(int(asked) for asked, _, _ in told) == 400
    assert len({each[2] for each in told}) == 1


def test_what_a_killed_engine_had_in_flight_the_other_takes_over(tmp_path: Path) -> None:
    with stand_in("--delay", 0.4) as server:
        killed = _engine(server, tmp_path, 8, 8)
        while server.count()["in_flight"] < 8:
            time.sleep(0.02)
        waiting = _engine(server, tmp_path, 8, 8)
        time.sleep(0.1)
        killed.kill()
        killed.communicate()
        asked, cached, _ = waiting.communicate(timeout=30)[0].split()
        assert int(asked) + int(cached) == 8
        assert server.requests() <= 16


async def test_the_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    with stand_in("--delay", 0.1) as server:
        port = server.root.rpartition(":")[2]
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            await say(model, "before")
            asking = asyncio.gather(*(say(model, str(number)) for number in range(40)))
            await asyncio.sleep(0.15)
            server.process.kill()
            await asyncio.sleep(0.3)
            with stand_in("--port", port):
                assert all(reply.text for reply in await asking)


def test_a_damaged_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = _filled(tmp_path)
    whole = path.read_bytes()
    for damage in (b"", whole[:5000], b"not a database" * 500, _torn(whole)):
        path.write_bytes(damage)
        _left_open(path)
        with pytest.raises(SftrecipeError) as caught:
            open_ledger(path)
            verify(path)
        assert caught.value.problem.slug == "ledger-damaged"
        assert caught.value.problem.advice()
        assert path.read_bytes() == damage


def test_a_newer_ledger_and_a_foreign_one_are_refused(tmp_path: Path) -> None:
    path = _filled(tmp_path)
    foreign = tmp_path / "foreign.sqlite"
    shutil.copy(path, foreign)
    for file, pragma, slug in (
        (path, "user_version = 99", "ledger-newer"),
        (foreign, "application_id = 1", "ledger-foreign"),
    ):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"PRAGMA {pragma}")
        with pytest.raises(SftrecipeError) as caught:
            open_ledger(file)
        assert caught.value.problem.slug == slug


async def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            await say(opened.model("teacher", "ask"), "first")
        with pytest.raises(SftrecipeError) as caught:
            async with session(server.url, tmp_path) as opened:
                connection = opened.ledger()._connection
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages}")
                model = opened.model("teacher", "ask")
                await asyncio.gather(*(say(model, f"{n} " * 2000) for n in range(20)))
        assert caught.value.problem.slug == "ledger-write"
        async with session(server.url, tmp_path) as opened:
            await say(opened.model("teacher", "ask"), "first")
            assert opened.total().cached == 1


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".sftrecipe").write_text("a file where the folder should be")
    with pytest.raises(SftrecipeError) as caught:
        open_ledger(tmp_path / ".sftrecipe" / "ledger.sqlite")
    assert caught.value.problem.slug == "ledger-unwritable"


async def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    with stand_in() as server:
        async with session(server.url, tmp_path, limits={"rpm": 6000}) as opened:
            model = opened.model("teacher", "ask")
            for shift in (0, 1e6, -1e6):
                monkeypatch.setattr(time, "time", lambda shift=shift: real() + shift)
                await say(model, f"at {shift}")
        assert len(totals(tmp_path / ".sftrecipe/ledger.sqlite")) == 3


def _filled(folder: Path) -> Path:
    async def fill() -> None:
        with stand_in("--padding", 3000) as server:
            async with session(server.url, folder) as opened:
                for number in range(30):
                    await say(opened.model("teacher", "ask"), f"question {number}")

    asyncio.run(fill())
    return folder / ".sftrecipe/ledger.sqlite"


def _torn(whole: bytes) -> bytes:
    middle = len(whole) // 2 // 4096 * 4096
    return whole[:middle] + b"\xa5" * 8192 + whole[middle + 8192 :]


def _left_open(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
