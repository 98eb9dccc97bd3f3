"""`use: litellm` over real HTTP: seven vendors in their own formats; what litellm must not do."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import CallFailed
from sftrecipe.calls.ledger.counted_calls import totals
from sftrecipe.calls.session import open_session
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.asked_model import Model
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.endings import is_cut_off
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.litellm import provider

from ...support.odd_server import Sent, odd_server, told
from ...support.odd_server import fault as error
from ...support.standin import StandIn, stand_in
from .vendors import Vendors, vendors

MODELS = {
    "anthropic": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "deepseek": "deepseek/deepseek-chat",
    "moonshot": "moonshot/kimi-k2-0905-preview",
    "dashscope": "dashscope/qwen-plus",
    "zai": "zai/glm-4.6",
    "volcengine": "volcengine/doubao-seed-1-6",
}
KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
KEY = "sk-one-key-of-a-vendor"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@asynccontextmanager
async def model(folder: Path, **options: Any) -> AsyncIterator[Model]:
    plugin = plugin_class("provider", "litellm").model_validate(options)
    block = Block("providers", "p", "litellm", plugin)
    async with open_session({"p": block}, folder / "ledger.sqlite", run="r") as session:
        yield session.model("p", "step")


def _given(server: Vendors, vendor: str, **more: Any) -> dict[str, Any]:
    return {"model": MODELS[vendor], "base_url": server.base(vendor), "api_key": KEY, **more}


def _turn(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@pytest.mark.heavy
@pytest.mark.parametrize("vendor", MODELS)
async def test_a_vendors_reply_errors_and_refusals(vendor: str, tmp_path: Path) -> None:
    async with vendors() as server:
        async with model(tmp_path, **_given(server, vendor)) as asked:
            reply = await asked.chat(_turn("tea"), sampling={"max_tokens": 50, "temperature": 0.5})
            assert (reply.text, reply.input_tokens, reply.output_tokens) == ("about tea", 11, 7)
            assert (
                await asked.chat(_turn("tea"), sampling={"max_tokens": 50, "temperature": 0.5})
                == reply
            )
            for fault in ("limit", "overloaded"):
                assert (await asked.chat(_turn(f"[[{fault} x1]]"))).text
                assert server.counts[vendor, f"[[{fault} x1]]"] == 2
            await _check_refusals(server, vendor, asked)
        [total] = totals(tmp_path / "ledger.sqlite")
        assert (total.calls, total.model) == (3, MODELS[vendor])
        header = KEY_HEADERS.get(vendor, "Authorization")
        assert all(KEY in request.headers[header] for request in server.asked)
        assert not any(KEY in request.path for request in server.asked)
        assert not any("max_retries" in request.body for request in server.asked)
    _check_no_key_in(tmp_path)


def _check_no_key_in(folder: Path) -> None:
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left
    assert not any(KEY.encode() in path.read_bytes() for path in left)


async def _check_refusals(server: Vendors, vendor: str, asked: Model) -> None:
    faults = {
        "anthropic": {"refused": "refused", "wrong": "final"},
        "gemini": {"refused": "refused", "stopped": "refused", "wrong": "final"},
    }.get(vendor, {"refused": "refused", "stopped": "refused"})
    for fault, outcome in faults.items():
        with pytest.raises(CallFailed) as caught:
            await asked.chat(_turn(f"[[{fault}]]"))
        assert caught.value.outcome == outcome, caught.value.message
        assert server.counts[vendor, f"[[{fault}]]"] == 1
    if vendor != "gemini":  # no money: the run ends
        with pytest.raises(SftrecipeError, match="cannot be used"):
            await asked.chat(_turn("[[unpaid]]"))
        assert server.counts[vendor, "[[unpaid]]"] == 1


@pytest.mark.heavy
@pytest.mark.parametrize("vendor", MODELS)
async def test_a_bad_key_stops_the_run(vendor: str, tmp_path: Path) -> None:
    async with vendors() as server:
        with pytest.raises(SftrecipeError) as stopped:
            async with model(tmp_path, **_given(server, vendor)) as asked:
                await asked.chat(_turn("[[key]]"))
        assert stopped.value.problem.slug == "provider-unusable"
        assert len(server.asked) == 1
    assert KEY not in str(stopped.value)
    assert "litellm" not in str(stopped.value)  # the vendor's own words


@pytest.mark.heavy
@pytest.mark.parametrize("vendor", ["anthropic", "deepseek", "moonshot"])
async def test_the_pause_that_a_vendor_asks_for_is_kept(vendor: str, tmp_path: Path) -> None:
    began = time.perf_counter()
    async with vendors(pause="1") as server, model(tmp_path, **_given(server, vendor)) as asked:
        assert (await asked.chat(_turn("[[limit x1]]"))).text
    assert time.perf_counter() - began >= 1
    assert server.counts[vendor, "[[limit x1]]"] == 2


@pytest.mark.heavy
async def test_a_parameter_that_a_vendor_does_not_take(tmp_path: Path) -> None:
    async with vendors() as server:
        async with model(tmp_path, **_given(server, "anthropic")) as asked:
            with pytest.raises(
                SftrecipeError, match=r"does not support parameters: \['seed'\]"
            ) as caught:
                await asked.chat(_turn("tea"), sampling={"seed": 1})
        assert server.asked == []
    assert caught.value.problem.values["line"] == "omit: [seed]"
    assert "drop" not in str(caught.value)


@pytest.mark.heavy
async def test_an_address_in_the_environment_leads_no_key_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with vendors() as server:
        monkeypatch.setenv("MOONSHOT_API_BASE", f"{server.url}/elsewhere")
        monkeypatch.setitem(provider.ADDRESSES, "moonshot", server.base("moonshot"))
        async with model(tmp_path, model=MODELS["moonshot"], api_key=KEY) as asked:
            assert (await asked.chat(_turn("x"))).text
        assert [request.path for request in server.asked] == ["/moonshot/chat/completions"]


@pytest.mark.heavy
@pytest.mark.parametrize("vendor", ["dashscope", "deepseek", "moonshot", "volcengine", "zai"])
def test_the_addresses_are_those_of_litellm(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{vendor.upper()}_API_BASE", raising=False)
    _, _, _, address = provider._imported().get_llm_provider(MODELS[vendor])
    assert address == provider.ADDRESSES[vendor]


@pytest.mark.heavy
async def test_completions_embeddings_and_faults(server: StandIn, tmp_path: Path) -> None:
    given = {"model": "openai/m", "base_url": server.url, "api_key": "sk-litellm-key"}
    async with model(tmp_path, **given) as asked:
        assert (await asked.chat(_turn("x"))).output_tokens == 20
        assert len((await asked.embed("x")).vector) == 8
        assert (await asked.complete("x")).text
        for fault in ("429", "500", "garbage", "reset"):
            assert (await asked.chat(_turn(f"[[{fault} x1]]"))).text
        for fault, outcome in (("400", "final"), ("refused", "refused")):
            with pytest.raises(CallFailed) as caught:
                await asked.chat(_turn(f"[[{fault}]]"))
            assert caught.value.outcome == outcome, caught.value


_GIVEN = {"model": "openai/m", "api_key": KEY, "price": {"input": 1, "output": 1}}
ENDS = {"stop": "stop", "COMPLETE": "COMPLETE", "length": "length", "abort": "abort", "9": "9"}


@pytest.mark.heavy
@pytest.mark.parametrize("word", ENDS)
async def test_only_known_ends_are_whole(tmp_path: Path, word: str) -> None:
    """litellm itself takes every other word for `stop`."""
    with odd_server(lambda said, before: told("half a", finish_reason=word)) as server:
        async with model(tmp_path, base_url=server.url, **_GIVEN) as asked:
            assert (await asked.chat(_turn("tea"))).finish_reason == ENDS[word]


@pytest.mark.heavy
@pytest.mark.parametrize("word", ["pause_turn", "model_context_window_exceeded", "error"])
def test_ends_that_litellm_turns_into_words_of_its_own(word: str) -> None:
    imported = provider._imported()
    core = importlib.import_module("litellm.litellm_core_utils.core_helpers")
    assert imported.suppress_debug_info
    assert is_cut_off(core.map_finish_reason(word))
    assert core.map_finish_reason("end_turn") == "stop"


@pytest.mark.heavy
async def test_a_refusal_in_a_field_of_its_own(tmp_path: Path) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I can't"}
    with odd_server(lambda said, before: told(message=message)) as server:
        async with model(tmp_path, base_url=server.url, **_GIVEN) as asked:
            with pytest.raises(CallFailed, match="I can't") as caught:
                await asked.chat(_turn("tea"))
    assert caught.value.outcome == "refused"


@pytest.mark.heavy
@pytest.mark.parametrize(("sent", "asked_for", "paid"), [
    (told(message={"role": "assistant", "content": 42}), 1, True),
    (Sent(0), 2, True),
    (Sent(200, b"<html>"), 2, True),
    (error(500, "broken"), 2, False),
])  # fmt: skip
async def test_what_left_and_was_lost_counts(
    tmp_path: Path, sent: Sent, asked_for: int, paid: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """litellm says 500 to all of them."""
    with odd_server(lambda said, before: told() if said == "first" else sent) as server:
        given = {**_GIVEN, "base_url": server.url, "limits": {"attempts": 2}}
        async with model(tmp_path, **given) as asked:
            await asked.chat(_turn("first"))
            with pytest.raises(CallFailed):
                await asked.chat(_turn("tea"))
        assert server.asked["tea"] == asked_for
    [total] = totals(tmp_path / "ledger.sqlite")
    assert (total.lost_cost > 0) == paid
    assert "Warning" not in "".join(capfd.readouterr())


@pytest.mark.heavy
async def test_what_never_left_costs_nothing(tmp_path: Path) -> None:
    given = {**_GIVEN, "base_url": "http://127.0.0.1:9/v1", "limits": {"attempts": 2}}
    with pytest.raises(SftrecipeError, match="cannot be used") as caught:
        async with model(tmp_path, **given) as asked:
            await asked.chat(_turn("tea"))
    assert "Connect call failed" in str(caught.value)
    [total] = totals(tmp_path / "ledger.sqlite")
    assert (total.lost_cost, total.lost_tokens) == (0, 0)


@pytest.mark.heavy
async def test_the_users_key_is_kept_from_an_address(
    server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-users-own-key")
    with pytest.raises(SftrecipeError) as stopped:
        async with model(tmp_path, model="openai/m", base_url=server.url) as asked:
            await asked.chat(_turn("[[401]]"))
    assert "own-key" not in str(stopped.value)
    assert "none" in str(stopped.value)


_QUIET = """
import asyncio, sys
from pathlib import Path

hosts = set()
def watch(event, given):
    if event == "socket.getaddrinfo":
        hosts.add(given[0])
    elif event == "socket.connect" and isinstance(given[1], tuple):
        hosts.add(given[1][0])
sys.addaudithook(watch)

from sftrecipe import CallFailed
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.endings import is_cut_off
from sftrecipe.recipe.recipe import Block

async def main(url, folder):
    plugin = plugin_class("provider", "litellm").model_validate(
        {"model": "anthropic/claude-unheard-of", "base_url": url, "api_key": "sk-key-of-a-vendor"}
    )
    providers = {"p": Block("providers", "p", "litellm", plugin)}
    async with open_session(providers, Path(folder) / "ledger.sqlite", run="r") as session:
        model = session.model("p", "step")
        for text in ("tea", "[[limit x1]]", "[[broken x1]]", "[[refused]]", "[[wrong]]"):
            try:
                await model.chat([{"role": "user", "content": text}])
            except CallFailed:
                pass
asyncio.run(main(*sys.argv[1:]))
Path(sys.argv[2], "hosts").write_text(" ".join(sorted(hosts)))
"""


@pytest.mark.heavy
async def test_litellm_says_nothing_and_reaches_no_other_host(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LITELLM")
    }
    async with vendors() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _QUIET, server.base("anthropic"), str(tmp_path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        said, _ = await process.communicate()
        assert len(server.asked) == 7
    assert (process.returncode, said.decode()) == (0, "")
    assert (tmp_path / "hosts").read_text() == "127.0.0.1"


@pytest.mark.parametrize(
    "options",
    [
        {"model": "vertex_ai/gemini", "base_url": "https://evil.example"},
        {"model": "gemini-pro", "base_url": "https://evil.example"},
        {"model": "huggingface/https://evil.example/x"},
    ],
)
def test_no_address_for_credentials_of_its_own(options: dict[str, str]) -> None:
    plugin = plugin_class("provider", "litellm").model_validate(options)
    assert list(plugin.problems(frozenset(), OptionFiles({})))
