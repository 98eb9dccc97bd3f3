"""OpenAI's Batch API over real HTTP: what is sent, what comes back, and what a kill leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.calls.ledger.counted_calls import totals
from sftrecipe.calls.limits.prices import known_price, price_of
from sftrecipe.calls.session import Session, open_session
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.asked_model import Model, Reply
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.recipe.recipe import Block, Budget
from sftrecipe_registry.providers.openai import batch_watch as openai_batch_watch
from sftrecipe_registry.providers.openai import batches as openai_batch
from sftrecipe_registry.providers.openai.provider import OpenAI

from ...support.standin import StandIn, stand_in

_NOTES = ".sftrecipe/providers/openai_batches.sqlite"


@asynccontextmanager
async def session(
    url: str,
    folder: Path,
    *,
    budget: Budget | None = None,
    told: list[str] | None = None,
    **more: Any,
) -> AsyncIterator[Session]:
    given = {"model": "m", "base_url": url, "api_key": "", "mode": "batch", "poll": 0.1, **more}
    block = Block("providers", "p", "openai", OpenAI.model_validate(given))
    async with open_session(
        {"p": block},
        folder / ".sftrecipe/ledger.sqlite",
        run="r",
        budget=budget or Budget(),
        progress=(told if told is not None else []).append,
    ) as opened:
        yield opened


async def say(model: Model, text: str, **more: Any) -> Reply | CallFailed:
    try:
        return await model.chat([{"role": "user", "content": text}], **more)
    except CallFailed as failure:
        return failure


async def say_all(model: Model, texts: list[str]) -> list[Reply | CallFailed]:
    return await asyncio.gather(*(say(model, text) for text in texts))


def _texts(found: list[Reply | CallFailed]) -> list[str]:
    assert all(isinstance(reply, Reply) for reply in found), found
    return [reply.text for reply in found if isinstance(reply, Reply)]


async def _until(happened: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def _less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_batch, "QUIET", 0.2)
    monkeypatch.setattr(openai_batch_watch, "QUIET", 0.1)
    monkeypatch.setattr(openai_batch, "_LOOKS", (0.0, 0.2))


def _noted(folder: Path) -> int:
    with closing(sqlite3.connect(folder / _NOTES)) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("requests", "batches")
        ]
    return sum(counts)


async def test_one_batch_a_path_and_the_replies_of_the_endpoint(tmp_path: Path) -> None:
    told: list[str] = []
    questions = [f"question {number}" for number in range(40)]
    with stand_in() as server:
        async with session(server.url, tmp_path, told=told) as opened:
            model = opened.model("p", "ask")
            chat, complete, embed, sampled = await asyncio.gather(
                say_all(model, questions),
                model.complete("a text"),
                model.embed("a text"),
                asyncio.gather(*(say(model, "again", sample=number) for number in range(3))),
            )
            assert opened.usage["ask", "p"].requests == 45
        happened = server.batches()
        online = OpenAI(model="m", base_url=server.url, api_key="")
        providers = {"p": Block("providers", "p", "openai", online)}
        async with open_session(providers, tmp_path / "other.sqlite", run="r") as opened:
            same = await say_all(opened.model("p", "ask"), questions)
    assert _texts(chat) == _texts(same)
    assert complete.text and len(embed.vector) == 8
    assert len(_texts(list(sampled))) == 3
    assert sorted(happened["batches"]) == [1, 1, 43]
    assert sorted(happened["endpoints"])[0] == "/v1/chat/completions"
    assert happened["most_batched"] == 1
    assert any("43 requests sent" in line for line in told), told
    assert any("completed, 43 of 43 requests done" in line for line in told), told
    assert _noted(tmp_path) == 0
    with closing(sqlite3.connect(tmp_path / ".sftrecipe/ledger.sqlite")) as ledger:
        raw = ledger.execute("SELECT raw FROM calls WHERE kind = 'chat'").fetchone()[0]
    assert json.loads(raw)["choices"]


async def test_lines_that_fail_are_classified_and_asked_again_where_it_helps(
    tmp_path: Path,
) -> None:
    texts = ["fine", "[[400]]", "[[refused]]", "[[429 x1]]", "[[500 x2]]", "[[garbage x1]]"]
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            found = await say_all(opened.model("p", "ask"), texts)
        happened = server.batches()
    outcomes = [reply.outcome if isinstance(reply, CallFailed) else "done" for reply in found]
    assert outcomes == ["done", "final", "refused", "done", "done", "done"]
    assert "HTTP 400 invalid_argument: bad request" in str(found[1])
    assert happened["batches"] == [6, 3, 1]
    assert _noted(tmp_path) == 0


async def test_failing_lines_come_together_and_do_not_stop_the_run(tmp_path: Path) -> None:
    texts = [f"{number} {'[[400]]' * (number % 2)}" for number in range(80)]
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            found = await say_all(opened.model("p", "ask"), texts)
            assert [isinstance(reply, Reply) for reply in found] == [True, False] * 40
        async with session(server.url, tmp_path / "all") as opened:  # nothing waits behind them
            found = await say_all(opened.model("p", "ask"), texts[1::2])
            assert all(isinstance(failure, CallFailed) for failure in found)


async def test_what_the_user_is_told_holds_no_key(tmp_path: Path) -> None:
    told: list[str] = []
    with stand_in("--batch-faults", "look=echox1") as server:
        given = {"told": told, "api_key": "sk-a-secret-key"}
        async with session(server.url, tmp_path, **given) as opened:
            _texts(await say_all(opened.model("p", "ask"), ["x"]))
    assert any("no news" in line and "***" in line for line in told), told
    assert not any("sk-a-secret-key" in line for line in told)


async def test_what_expired_leaves_again_and_the_rest_is_kept(tmp_path: Path) -> None:
    texts = [*(f"{number}" for number in range(10)), "[[expired x1]] a", "[[expired x1]] b"]
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            _texts(await say_all(opened.model("p", "ask"), texts))
        assert server.batches()["batches"] == [12, 2]


async def test_a_cancelled_batch_says_so_and_the_next_run_asks_the_rest(tmp_path: Path) -> None:
    texts = [*(f"{number}" for number in range(5)), "[[cancelled x1]]"]
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            model = opened.model("p", "ask")
            found = await asyncio.gather(
                *(say(model, text) for text in texts), return_exceptions=True
            )
            assert len([reply for reply in found if isinstance(reply, Reply)]) == 5
            assert isinstance(found[-1], SftrecipeError)
            assert found[-1].problem.message("en") == "batch 'batch_0' was cancelled"
        async with session(server.url, tmp_path) as opened:
            _texts(await say_all(opened.model("p", "ask"), texts))
        assert server.batches()["batches"] == [6, 1]


async def test_a_batch_that_fails_as_a_whole(tmp_path: Path) -> None:
    with stand_in("--batch-fails") as server:
        async with session(server.url, tmp_path) as opened:
            with pytest.raises(
                SftrecipeError, match=r"invalid_json_line: as told \(line 1\)"
            ) as caught:
                await say(opened.model("p", "ask"), "x")
    assert "nothing of it is charged" in (caught.value.problem.advice("en") or "")
    assert _noted(tmp_path) == 0


@pytest.mark.parametrize(
    "fault",
    [
        "upload=500x2",
        "upload=429x2",
        "create=429x1",
        "create=500x1",
        "create=resetx1",
        "create=garbledx1",
        "look=429x3",
        "look=500x3",
        "look=resetx2",
        "look=404x2",
        "content=halfx1",
        "content=500x1",
    ],
)
async def test_faults_on_the_way_lose_nothing_and_batch_nothing_twice(
    tmp_path: Path, fault: str
) -> None:
    with stand_in("--batch-faults", fault) as server:
        async with session(server.url, tmp_path) as opened:
            texts = [f"{number}" for number in range(30)]
            _texts(await say_all(opened.model("p", "ask"), texts))
            assert opened.usage["ask", "p"].requests == 30
        assert server.batches()["batches"] == [30]


async def test_a_batch_that_the_server_lost_is_asked_again(tmp_path: Path) -> None:
    with stand_in("--batch-faults", "look=404x5") as server:
        async with session(server.url, tmp_path) as opened:
            _texts(await say_all(opened.model("p", "ask"), ["a", "b"]))
        assert server.batches()["batches"] == [2, 2]


@pytest.mark.parametrize("fault", ["upload=401", "create=401", "look=401"])
async def test_a_wrong_key_stops_the_run(tmp_path: Path, fault: str) -> None:
    with stand_in("--batch-faults", fault) as server:
        async with session(server.url, tmp_path) as opened:
            with pytest.raises(SftrecipeError, match="Incorrect API key"):
                await asyncio.gather(*(say(opened.model("p", "s"), f"{n}") for n in range(30)))
        assert _noted(tmp_path) == (31 if fault == "look=401" else 0)


async def test_several_batches_where_one_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_batch, "MOST_REQUESTS", 20)
    with stand_in() as server:
        async with session(server.url, tmp_path) as opened:
            _texts(await say_all(opened.model("p", "ask"), [f"{number}" for number in range(50)]))
        assert sorted(server.batches()["batches"]) == [10, 20, 20]
        monkeypatch.setattr(openai_batch, "MOST_BYTES", 2000)
        async with session(server.url, tmp_path) as opened:
            texts = [f"{number} {'x' * 400}" for number in range(9)]
            _texts(await say_all(opened.model("p", "ask"), texts))
        assert sorted(server.batches()["batches"][3:]) == [3, 3, 3]


async def test_the_budget_holds_and_what_is_noted_counts_once(tmp_path: Path) -> None:
    texts = [f"{number}" for number in range(12)]
    with stand_in() as server:
        async with session(server.url, tmp_path, budget=Budget(max_calls=5)) as opened:
            with pytest.raises(SftrecipeError, match="max_calls is 5, 5 are spent"):
                await asyncio.gather(*(say(opened.model("p", "ask"), text) for text in texts))
        assert server.batches()["batched"] == 5


async def test_interrupted_it_says_so_and_the_next_run_reads_it(tmp_path: Path) -> None:
    texts = [f"{number}" for number in range(20)]
    told: list[str] = []

    async def ask(url: str) -> None:
        async with session(url, tmp_path, told=told, budget=Budget(max_calls=20)) as opened:
            _texts(await say_all(opened.model("p", "ask"), texts))
            assert opened.usage["ask", "p"].requests == 0
            assert opened.spent().requests == 20

    with stand_in("--batch-seconds", 3) as server:
        asking = asyncio.create_task(ask(server.url))
        await _until(lambda: server.batches()["begun"].get("look", 0) > 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert told[-1] == "batch batch_0 goes on without this run; the next run reads it"
        assert _noted(tmp_path) == 21
        await ask(server.url)  # what it asked before counts once: the budget is not reached
        assert server.batches()["batches"] == [20]
    assert _noted(tmp_path) == 0
    assert [total.requests for total in totals(tmp_path / ".sftrecipe/ledger.sqlite")] == [20]


async def test_an_error_elsewhere_does_not_wait_for_a_batch(tmp_path: Path) -> None:
    with stand_in("--batch-seconds", 60) as server:
        began = time.monotonic()
        with pytest.raises(ZeroDivisionError):
            async with session(server.url, tmp_path) as opened:
                asking = asyncio.ensure_future(say(opened.model("p", "ask"), "x"))
                await _until(lambda: server.batches()["batches"])
                raise ZeroDivisionError
        assert time.monotonic() - began < 10
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_another_revision_is_another_request(tmp_path: Path) -> None:
    with stand_in("--batch-seconds", 60) as server:
        for revision in ("1", "2"):
            async with session(server.url, tmp_path, revision=revision) as opened:
                asking = asyncio.ensure_future(say(opened.model("p", "ask"), "x"))
                await _until(lambda: len(server.batches()["batches"]) == int(revision))  # noqa: B023
                asking.cancel()


def test_the_batch_price_is_half() -> None:
    given = {"model": "gpt-4o-mini", "api_key": ""}
    online, batch = OpenAI(**given), OpenAI(**given, mode="batch")
    if (full := known_price("gpt-4o-mini")) is None:
        pytest.skip("litellm's prices are not installed")
    half = price_of(batch)
    assert half is not None
    assert price_of(online) == full
    assert (half.input, half.output) == (full.input / 2, full.output / 2)
    assert (batch.effective_limits().timeout, batch.default_concurrency) == (93_600, 10_000)
    assert known_price("gpt-4", batch=True) == known_price("gpt-4")  # it has no batch price


_ENGINE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.registry.providers.test_openai_batch import say_all, session, _texts

async def main():
    async with session({url!r}, Path({folder!r})) as opened:
        texts = [f"question {{n}}" for n in range({count})]
        print(hash(tuple(_texts(await say_all(opened.model("p", "ask"), texts)))), flush=True)

asyncio.run(main())
"""


def _engine(server: StandIn, folder: Path, count: int = 200) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[3])
    script = _ENGINE.format(root=root, url=server.url, folder=str(folder), count=count)
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )


def _wait(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("moment", "fault", "uploads", "left"),
    [
        (
            "upload",
            "upload=latex1",
            3,
            0,
        ),  # no batch yet: both engines may make one, of their own calls
        ("create", "create=latex1", 1, 0),  # killed before the server creates it, which it does
        ("list", "create=resetx1", 1, 0),  # created, unheard of, killed while looking
        ("look", "look=500x1", 1, 0),
        ("content", "content=latex1", 1, 101),  # half of the output was read
    ],
)
def test_killed_at_any_moment_nothing_is_batched_twice(
    tmp_path: Path, moment: str, fault: str, uploads: int, left: int
) -> None:
    with stand_in("--batch-faults", fault) as server:
        engine = _engine(server, tmp_path)
        _wait(lambda: moment in server.batches()["begun"])
        time.sleep(0.3)
        assert engine.poll() is None
        engine.send_signal(signal.SIGKILL)
        engine.communicate()
        engines = [_engine(server, tmp_path) for _ in range(2)]
        told = [engine.communicate(timeout=60) for engine in engines]
        assert told[0][0] == told[1][0] != "", told
        happened = server.batches()
        assert (happened["batched"], happened["most_batched"]) == (200, 1)
        assert happened["begun"]["upload"] <= uploads
        third = _engine(server, tmp_path)
        assert third.communicate(timeout=60)[0] == told[0][0]
        assert server.batches()["begun"] == happened["begun"]
    assert _noted(tmp_path) == left  # what the killed engine read, and could not forget


def test_two_engines_batch_nothing_twice(tmp_path: Path) -> None:
    with stand_in() as server:
        engines = [_engine(server, tmp_path, 400) for _ in range(3)]
        told = {engine.communicate(timeout=90)[0] for engine in engines}
        assert len(told) == 1 and told != {""}
        assert (server.batches()["batched"], server.batches()["most_batched"]) == (400, 1)
    assert _noted(tmp_path) == 0
