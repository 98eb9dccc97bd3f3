"""Asking through the ledger: once, within limits, and what each failure does."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe.calls.ledger.counted_calls import read_call, totals, verify
from sftrecipe.calls.limits.budget import BudgetReached
from sftrecipe.calls.session import open_session
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.recipe.recipe import Budget

from ...support.asked_calls import provider, say, say_all, session
from ...support.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 0.01, "--jitter", 1) as running:
        yield running


@pytest.fixture(autouse=True)
def _count_anew(server: StandIn) -> None:
    server.forget()


async def test_equal_questions_are_one_call_and_a_rerun_asks_nothing(
    server: StandIn, tmp_path: Path
) -> None:
    texts = [f"question {number % 40}" for number in range(200)]
    async with session(server.url, tmp_path) as opened:
        first = await say_all(opened.model("teacher", "ask"), texts)
        usage = opened.usage["ask", "teacher"]
        assert (usage.asked, usage.cached, usage.requests) == (40, 160, 40)
    async with session(server.url, tmp_path) as opened:
        again = await say_all(opened.model("teacher", "ask"), texts)
        assert opened.usage["ask", "teacher"].cached == 200
    assert again == first
    assert server.requests() == 40


async def test_samples_are_calls_of_their_own(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path) as opened:
        model = opened.model("teacher", "ask")
        replies = await asyncio.gather(*(say(model, "x", sample=n) for n in (0, 1, 1)))
    assert server.requests() == 2
    assert len({reply.key for reply in replies}) == 2


async def test_what_changes_the_reply_changes_the_key(server: StandIn, tmp_path: Path) -> None:
    keys = set()
    for options in ({}, {"model": "n"}, {"revision": "2"}):
        async with session(server.url, tmp_path, **options) as opened:
            model = opened.model("teacher", "ask")
            keys |= {(await say(model, "x", sampling={"top_p": top})).key for top in (0.5, 0.9)}
            keys.add((await model.complete("x")).key)
            keys.add((await model.embed("x")).key)
    assert len(keys) == 12
    async with session(server.url + "/", tmp_path) as opened:  # another address of the model
        assert (await opened.model("teacher", "other step").complete("x")).key in keys
    assert server.requests() == 12


async def test_vectors_and_logprobs_come_back_to_the_last_bit(
    server: StandIn, tmp_path: Path
) -> None:
    replies = []
    for _ in range(2):
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            replies.append(
                (await model.embed("x"), await say(model, "y", sampling={"logprobs": True}))
            )
    assert replies[0] == replies[1]
    assert len(replies[0][0].vector) == 8
    assert replies[0][1].logprobs == (-0.5,)


@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "reset", "half", "garbage", "html", "rate200"]
)
async def test_what_can_succeed_is_asked_again(server: StandIn, tmp_path: Path, fault: str) -> None:
    async with session(server.url, tmp_path) as opened:
        reply = await say(opened.model("teacher", "ask"), f"[[{fault} x2]] {fault}")
        assert opened.usage["ask", "teacher"].requests == 3
        assert opened.usage["ask", "teacher"].asked == 1
    assert reply.text
    call = read_call(tmp_path / ".sftrecipe/ledger.sqlite", reply.key)
    assert call is not None
    assert (call.state, call.attempts) == ("done", 3)


async def test_json_under_another_content_type_is_read(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path) as opened:
        assert (await say(opened.model("teacher", "ask"), "[[plain]]")).text
        assert (await say(opened.model("teacher", "ask"), "[[huge]]")).text
    assert server.requests() == 2


async def test_a_call_that_takes_too_long_is_asked_again(server: StandIn, tmp_path: Path) -> None:
    limits = {"timeout": 0.3, "attempts": 2}
    async with session(server.url, tmp_path, limits=limits) as opened:
        model = opened.model("teacher", "ask")
        await say(model, "fine")
        assert (await say(model, "[[slow x1]]")).text
        with pytest.raises(CallFailed, match=r"no reply within 0\.3 s"):
            await say(model, "[[drip]]")


async def test_retry_after_is_waited_for(tmp_path: Path) -> None:
    with stand_in("--retry-after", 1.5) as server:
        async with session(server.url, tmp_path) as opened:
            started = time.perf_counter()
            await say(opened.model("teacher", "ask"), "[[429 x1]]")
            assert time.perf_counter() - started >= 1.5


@pytest.mark.parametrize(("fault", "status"), [("refused", 400), ("unsafe", 403)])
async def test_a_refusal_is_for_ever(
    server: StandIn, tmp_path: Path, fault: str, status: int
) -> None:
    for _ in range(2):
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            await say(model, "fine")
            for _ in range(2):
                with pytest.raises(CallFailed, match=f"HTTP {status}") as caught:
                    await say(model, f"[[{fault}]]")
                assert caught.value.reason == "refused"
    assert server.requests() == 2


async def test_a_filtered_reply_is_a_refusal(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path) as opened:
        with pytest.raises(CallFailed, match="content_filter") as caught:
            await say(opened.model("teacher", "ask"), "[[filtered]]")
    assert caught.value.outcome == "refused"


async def test_a_final_failure_is_asked_again_by_the_next_run_alone(
    server: StandIn, tmp_path: Path
) -> None:
    for expected in (1, 2):
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            await say(model, "fine")
            for _ in range(3):
                with pytest.raises(CallFailed, match="bad request"):
                    await say(model, "[[400]]")
        assert server.count()["by_prompt"]["[[400]]"] == expected


async def test_failures_in_a_row_stop_the_run(server: StandIn, tmp_path: Path) -> None:
    limits = {"stop_after_failures": 5, "concurrency": 2, "timeout": 1.5}
    async with session(server.url, tmp_path, limits=limits) as opened:
        model = opened.model("teacher", "ask")
        await say(model, "fine")
        with pytest.raises(SftrecipeError, match=r"keeps failing.*oops") as caught:
            await say_all(model, [f"[[500]] {number}" for number in range(50)])
        assert caught.value.problem.slug == "provider-failing"
        with pytest.raises(SftrecipeError, match="oops"):
            await say(model, "not asked any more")
    assert server.requests() <= 1 + 5 + 2 + 4  # from the fifth on, one at a time, with pauses


@pytest.mark.parametrize("fault", ["401", "403", "404"])
async def test_a_wrong_key_or_model_stops_the_run_at_once(
    server: StandIn, tmp_path: Path, fault: str
) -> None:
    with pytest.raises(SftrecipeError, match=f"HTTP {fault}"):
        async with session(server.url, tmp_path) as opened:
            await say(opened.model("teacher", "ask"), f"[[{fault}]]")
    assert server.requests() == 1


async def test_nobody_there_stops_the_run(tmp_path: Path) -> None:
    limits = {"attempts": 2}
    for url in ("http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1"):
        with pytest.raises(SftrecipeError, match="cannot be used"):
            async with session(url, tmp_path, limits=limits) as opened:
                await say(opened.model("teacher", "ask"), "x")


async def test_redirects_are_not_followed(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path) as opened:
        await say(opened.model("teacher", "ask"), "fine")
        with pytest.raises(CallFailed, match="HTTP 307"):
            await say(opened.model("teacher", "ask"), "[[redirect]]")


async def test_no_call_no_ledger_no_connection(tmp_path: Path) -> None:
    async with session("http://127.0.0.1:9/v1", tmp_path) as opened:
        opened.model("teacher", "ask")
    assert not (tmp_path / ".sftrecipe").exists()


async def test_max_calls_is_a_wall_over_engines(server: StandIn, tmp_path: Path) -> None:
    texts = [f"[[500 x1]] {number}" for number in range(40)]
    for most in (7, 30, 200):
        budget = Budget(max_calls=most)
        reached = False
        try:
            async with session(server.url, tmp_path, budget=budget) as opened:
                await say_all(opened.model("teacher", "ask"), texts)
        except BudgetReached as error:
            reached = True
            assert error.exit_status == 3
            assert f"max_calls is {most}" in str(error)
        assert reached == (most < 80)
        assert server.requests() <= most
    assert server.requests() == 80
    assert verify(tmp_path / ".sftrecipe/ledger.sqlite")


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_max_cost_is_a_wall(server: StandIn, tmp_path: Path, concurrency: int) -> None:
    price = {"input": 1e6, "output": 1e6, "currency": "CNY"}  # one yuan a token
    budget = Budget(max_cost=500, currency="CNY")
    with pytest.raises(BudgetReached, match="max_cost is 500 CNY"):
        async with session(
            server.url, tmp_path, budget=budget, price=price, concurrency=concurrency
        ) as opened:
            model = opened.model("teacher", "ask")
            asking = (say(model, f"q {n}", sampling={"max_tokens": 20}) for n in range(200))
            await asyncio.gather(*asking)
    (total,) = totals(tmp_path / ".sftrecipe/ledger.sqlite")
    assert total.in_flight == 0  # what was in flight at the wall was waited for
    assert 400 < total.cost <= 500
    assert total.currency == "CNY"


async def test_max_tokens_without_max_tokens_of_calls(server: StandIn, tmp_path: Path) -> None:
    budget = Budget(max_tokens=3000)
    with pytest.raises(BudgetReached, match="max_tokens"):
        async with session(server.url, tmp_path, budget=budget) as opened:
            model = opened.model("teacher", "ask")
            await asyncio.gather(*(say(model, f"question {n}") for n in range(500)))
    (total,) = totals(tmp_path / ".sftrecipe/ledger.sqlite")
    assert 2700 < total.input_tokens + total.output_tokens <= 3000


async def test_a_wall_that_cannot_be_held_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    budget = Budget(max_cost=1, currency="CNY")
    nowhere = "http://127.0.0.1:9/v1"
    with pytest.raises(UsageError, match="price of 'm'"):
        async with open_session(provider(nowhere), path, run="r", budget=budget):
            pass
    priced = provider(nowhere, price={"input": 1, "output": 2, "currency": "USD"})
    with pytest.raises(UsageError, match="CNY"):
        async with open_session(priced, path, run="r", budget=budget):
            pass
    free = provider(nowhere, price={"input": 0, "output": 0})
    async with open_session(free, path, run="r", budget=budget):
        pass


async def test_schemas_are_checked_and_repaired(server: StandIn, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    }
    async with session(server.url, tmp_path) as opened:
        reply = await say(opened.model("teacher", "ask"), "x", schema=schema)
        assert reply.text.startswith('{"name"')
    async with session(server.url, tmp_path, structured=False) as opened:
        with pytest.raises(CallFailed, match="does not follow the schema"):
            await say(opened.model("teacher", "ask"), "y", schema=schema)
        assert opened.usage["ask", "teacher"].asked == 3


async def test_rates_hold(server: StandIn, tmp_path: Path) -> None:
    async with session(server.url, tmp_path, limits={"rpm": 600}) as opened:
        await say_all(opened.model("teacher", "ask"), [str(number) for number in range(30)])
    times = server.count()["times"]
    assert times[-1] - times[0] >= (30 - 10) / 10 - 0.2
    assert all(later - earlier >= 0.95 for earlier, later in zip(times, times[20:], strict=False))


async def test_secrets_are_nowhere(
    server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-very-secret-1234"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    shown = []
    with pytest.raises(SftrecipeError) as caught:
        async with session(server.url, tmp_path, api_key="${env:OPENAI_API_KEY}") as opened:
            model = opened.model("teacher", "ask")
            await say(model, "fine")
            shown.append(repr(opened))
            await say(model, "[[401]]")  # the stand-in quotes the key in its message
    shown += [str(caught.value), repr(caught.value.problem)]
    assert "***" in str(caught.value)
    assert not any(secret in text for text in shown)
    assert not any(secret.encode() in content for content in _contents(tmp_path))


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def test_an_unset_variable_is_told_by_name(server: StandIn, tmp_path: Path) -> None:
    os.environ.pop("NO_SUCH_VARIABLE", None)
    with pytest.raises(UsageError, match="NO_SUCH_VARIABLE"):
        async with session(server.url, tmp_path, api_key="${env:NO_SUCH_VARIABLE}") as opened:
            await say(opened.model("teacher", "ask"), "x")


async def test_a_caller_that_gives_up_does_not_lose_the_reply(tmp_path: Path) -> None:
    with stand_in("--delay", 0.5) as server:
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            impatient = asyncio.create_task(say(model, "x"))
            await asyncio.sleep(0.2)
            patient = asyncio.create_task(say(model, "x"))
            await asyncio.sleep(0.05)
            impatient.cancel()
            assert isinstance(await patient, Reply)
        assert server.requests() == 1


async def test_an_error_waits_for_what_is_paid_and_an_interruption_does_not(
    tmp_path: Path,
) -> None:
    with stand_in("--delay", 2) as server:
        with pytest.raises(ZeroDivisionError):
            async with session(server.url, tmp_path) as opened:
                asking = asyncio.create_task(say(opened.model("teacher", "ask"), "x"))
                while not opened.in_flight():  # noqa: ASYNC110 - counted, not told
                    await asyncio.sleep(0.01)
                raise ZeroDivisionError
        asking.cancel()
        path = tmp_path / ".sftrecipe/ledger.sqlite"
        assert [(total.calls, total.in_flight) for total in totals(path)] == [(1, 0)]

        async def interrupted() -> None:
            async with session(server.url, tmp_path) as opened:
                await say(opened.model("teacher", "ask"), "y")

        task = asyncio.create_task(interrupted())
        while server.requests() < 2:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        task.cancel()
        began = time.perf_counter()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 1
        assert [(total.calls, total.unanswered) for total in totals(path)] == [(1, 1)]
        async with session(server.url, tmp_path) as opened:
            assert (await say(opened.model("teacher", "ask"), "y")).text
        assert server.requests() == 3
