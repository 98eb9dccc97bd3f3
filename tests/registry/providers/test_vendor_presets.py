"""`vendor:` on a provider, ERNIE as Qianfan serves it, and what `doctor` says of models."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed
from sftrecipe.calls.limits.prices import price_of, vendor_price
from sftrecipe.calls.session import open_session
from sftrecipe.doctor.recipe_check import check_withdrawals
from sftrecipe.errors import RecipeError, SftrecipeError
from sftrecipe.plugin.asked_model import Model
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.provider import Provider, Request
from sftrecipe.plugin.vendors.vendor_facts import Vendor, known_vendors
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.ernie.qianfan_v1 import QianfanV1, v1_problem
from sftrecipe_registry.shared.http.model_list import ModelList, listed_check

from ...support.standin import stand_in
from .vendors import vendors as vendor_server

TURNS = [{"role": "user", "content": "a question"}]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
RECIPE = """\
version: 1
name: t
providers:
{providers}
sources:
  s: {{use: jsonl, path: s.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p, with: {{replace: true}}}}
export:
  - {{use: jsonl}}
"""
ASKED = [each for each in known_vendors().values() if each.use in ("openai", "ernie") or each.local]


def provider(use: str, **options: Any) -> Provider:
    made = plugin_class("provider", use).model_validate(options)
    assert isinstance(made, Provider)
    return made


@asynccontextmanager
async def model(folder: Path, use: str, **options: Any) -> AsyncIterator[Model]:
    block = Block("providers", "p", use, provider(use, **options))
    async with open_session({"p": block}, folder / "ledger.sqlite", run="r") as session:
        yield session.model("p", "step")


def command(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The real command in a folder, with the keys of these tests alone."""
    keys = {key for vendor in known_vendors().values() for key in vendor.keys}
    clean = {name: value for name, value in os.environ.items() if name not in keys}
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
        env={**clean, "SFTRECIPE_LANG": "en", "XDG_CONFIG_HOME": str(folder), **variables},
    )  # fmt: skip


def written(folder: Path, *providers: str) -> Path:
    lines = "\n".join(f"  {each}" for each in providers)
    (folder / "s.jsonl").write_text('{"instruction": "a?", "output": "b"}\n')
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(providers=lines), encoding="utf-8")
    return recipe


@pytest.mark.parametrize("vendor", ASKED, ids=lambda vendor: vendor.id)
def test_a_vendors_name_fills_in_what_is_not_stated(vendor: Vendor) -> None:
    for name in (vendor.id, *vendor.also):
        named = provider("openai", vendor=name, model="m")
        key = f"${{env:{vendor.keys[0]}}}" if vendor.keys else ""
        assert named.sends() == ({key: vendor.address} if key else {})
        assert ("structured" in named.capabilities()) is (vendor.structured is not False)
        stated = provider(
            "openai", vendor=name, model="m", structured=vendor.structured is False,
            base_url="http://127.0.0.1:1/v1", api_key="${env:MINE}",
        )  # fmt: skip
        assert stated.sends() == {"${env:MINE}": "http://127.0.0.1:1/v1"}
        assert ("structured" in stated.capabilities()) is (vendor.structured is False)
        assert named.identity() == provider("openai", model="m").identity()  # nothing asked anew


def test_without_a_vendor_all_is_as_it_was() -> None:
    plain = provider("openai", model="m")
    assert plain.sends() == {"${env:OPENAI_API_KEY}": "https://api.openai.com/v1"}
    assert "structured" in plain.capabilities()
    elsewhere = provider("openai", model="m", base_url="https://llm.example.com/v1")
    assert elsewhere.sends() == {"${env:OPENAI_API_KEY}": "https://llm.example.com/v1"}
    known = provider("openai", model="m", base_url="https://api.z.ai/api/paas/v4")
    assert list(known.sends()) == ["${env:ZHIPUAI_API_KEY}"]
    assert "structured" in known.capabilities()  # else its calls would be other ones than before


def test_every_vendor_validates_and_an_unknown_one_does_not(tmp_path: Path) -> None:
    blocks = [
        f"v{at}: {{use: openai, vendor: {each.id}, model: m}}" for at, each in enumerate(ASKED)
    ]
    open_weights = "p: {use: vllm, vendor: ernie-open, model: baidu/ERNIE-4.5-21B-A3B-Thinking}"
    written(tmp_path, *blocks, open_weights)
    assert command(tmp_path, "validate", "recipe.yaml").returncode == 0
    written(
        tmp_path,
        "p: {use: openai, vendor: depseek, model: m}",
        "q: {use: openai, vendor: anthropic, model: m}",
        "r: {use: vllm, vendor: deepseek, model: m}",
    )
    done = command(tmp_path, "validate", "recipe.yaml")
    assert done.returncode == 2
    assert "vendor 'depseek' is not known" in done.stderr
    assert "did you mean 'deepseek'? known: openai, ernie, deepseek" in done.stderr
    assert "write use: litellm, without vendor" in done.stderr
    assert "write use: openai\n" in done.stderr
    with pytest.raises(RecipeError) as caught:
        check_recipe(tmp_path / "recipe.yaml", keys_later=True)
    chinese = "".join(f"{each.message('zh')} {each.advice('zh')}" for each in caught.value.problems)
    assert "请写 use: litellm，并去掉 vendor" in chinese
    assert "未知的厂商 'depseek'" in chinese
    assert "是不是 'deepseek'？可用的厂商：" in chinese


async def test_the_key_of_a_preset_is_sent_and_its_names_are_used(tmp_path: Path) -> None:
    async with vendor_server() as server:
        base = server.base("deepseek")
        written(tmp_path, f"p: {{use: openai, vendor: deepseek, model: m, base_url: '{base}'}}")
        key = {"DEEPSEEK_API_KEY": "good-key"}
        done = await asyncio.to_thread(command, tmp_path, "run", "recipe.yaml", **key)
        assert done.returncode == 0, done.stderr
        (asked,) = server.asked
        assert asked.headers["Authorization"] == "Bearer good-key"
        for vendor, name in (("openai", "max_completion_tokens"), ("deepseek", "max_tokens")):
            options = {"vendor": vendor, "model": "m", "base_url": base, "api_key": ""}
            async with model(tmp_path / vendor, "openai", **options) as one:
                await one.chat(TURNS, sampling={"max_tokens": 9})
            assert server.asked[-1].body[name] == 9


async def test_ernie_v2_has_completions_and_structured_output(tmp_path: Path) -> None:
    options = {"model": "ernie-5.1", "api_key": "good-key"}
    able = provider("ernie", **options).capabilities()
    assert able >= {"chat", "complete", "structured", "embed"}
    assert provider("ernie", **options, secret_key="s").capabilities() == {"chat"}
    async with vendor_server() as server:
        base = server.base("ernie")
        async with model(tmp_path, "ernie", **options, base_url=base) as asked:
            assert (await asked.complete("Once")).text == "Once and so on"
            reply = await asked.chat(TURNS, schema=SCHEMA)
            assert json.loads(reply.text) == {"name": "as asked"}
            for fault, outcome in (("key", "final"), ("refused", "refused"), ("unpaid", "final")):
                turn = {"role": "user", "content": f"[[{fault}]]"}
                with pytest.raises((CallFailed, SftrecipeError)) as caught:
                    await asked.chat([turn])
                if isinstance(caught.value, CallFailed):
                    assert caught.value.outcome == outcome
                if fault == "key":
                    assert "IAM Certification failed" in str(caught.value)
                    break
        formats = [each.body.get("response_format", {}).get("type") for each in server.asked]
        assert formats[1] == "json_schema"
        paths = [each.path for each in server.asked]
        assert paths[:2] == ["/ernie/completions", "/ernie/chat/completions"]


@pytest.mark.parametrize(
    ("use", "options", "vendor"),
    [
        ("ernie", {"model": "ernie-x1-turbo-32k", "api_key": "good-key"}, "ernie"),
        ("openai", {"model": "deepseek-flash", "vendor": "deepseek", "api_key": "k"}, "deepseek"),
        ("openai", {"model": "ERNIE-4.5-21B-A3B-Thinking", "vendor": "fastdeploy"}, "fastdeploy"),
        ("vllm", {"model": "ERNIE-4.5-21B-A3B-Thinking", "vendor": "ernie-open"}, "fastdeploy"),
    ],
)
async def test_a_thinking_model_answers_with_its_answer_alone(
    use: str, options: dict[str, Any], vendor: str, tmp_path: Path
) -> None:
    async with (
        vendor_server() as server,
        model(tmp_path, use, **options, base_url=server.base(vendor)) as asked,
    ):
        assert (await asked.chat(TURNS)).text == "about a question"


STEERED: list[tuple[str, dict[str, Any], Any, dict[str, Any], bool]] = [
    # provider, its options, `thinking`, what is sent for it, and whether the temperature is
    ("openai", {"vendor": "deepseek", "model": "deepseek-flash"}, "off",
     {"thinking": {"type": "disabled"}}, True),
    ("openai", {"vendor": "deepseek", "model": "deepseek-flash"}, None, {}, False),
    ("openai", {"vendor": "kimi", "model": "kimi-k2.6"}, "on",
     {"thinking": {"type": "enabled"}}, False),
    ("openai", {"vendor": "qwen", "model": "qwen-plus"}, {"budget": 64},
     {"enable_thinking": True, "thinking_budget": 64}, True),
    ("openai", {"vendor": "openai", "model": "gpt-6-luna"}, "off",
     {"reasoning_effort": "none"}, True),
    ("openai", {"vendor": "openai", "model": "gpt-6-luna"}, None, {}, False),
    ("openai", {"vendor": "fastdeploy", "model": "baidu/ERNIE-4.5-VL-28B-A3B-Paddle"},
     {"budget": 64}, {"chat_template_kwargs": {"enable_thinking": True},
                      "reasoning_max_tokens": 64}, True),
    ("vllm", {"vendor": "ernie-open", "model": "baidu/ERNIE-4.5-VL-28B-A3B-PT"}, "off",
     {"chat_template_kwargs": {"enable_thinking": False}}, True),
    ("ernie", {"model": "ernie-5.0-thinking-latest"}, "off", {"enable_thinking": False}, True),
]  # fmt: skip


@pytest.mark.skipif(
    "thinking" not in plugin_class("provider", "openai").model_fields, reason="needs `thinking`"
)
@pytest.mark.parametrize(("use", "options", "thinking", "sent", "warm"), STEERED)
async def test_each_vendor_is_told_to_think_in_its_own_way(
    use: str,
    options: dict[str, Any],
    thinking: Any,
    sent: dict[str, Any],
    warm: bool,
    tmp_path: Path,
) -> None:
    told = {} if thinking is None else {"thinking": thinking}
    vendor = {"openai": "deepseek", "vllm": "fastdeploy", "ernie": "ernie"}[use]
    async with vendor_server() as server:
        given = {**options, **told, "base_url": server.base(vendor), "api_key": "good-key"}
        async with model(tmp_path, use, **given) as asked:
            await asked.chat(TURNS, sampling={"temperature": 0.5})
    body = server.asked[-1].body
    assert {name: body.get(name) for name in sent} == sent
    assert ("temperature" in body) is warm


def hint_in_chinese(folder: Path) -> str:
    recipe = check_recipe(folder / "recipe.yaml", keys_later=True)
    return "".join(f"{each.message('zh')} {each.advice('zh')}" for each in recipe.warnings)


def test_v1_is_told_at_validate_and_by_the_error(tmp_path: Path) -> None:
    told = v1_problem(("secret_key",))
    assert told.severity == "warning"
    assert "2026-08-31" in told.message
    assert 'api_key: "${env:QIANFAN_API_KEY}"' in (told.hint or "")
    with stand_in() as server:
        written(
            tmp_path,
            f"p: {{use: ernie, model: ernie-4.0-8k, base_url: '{server.root}',"
            ' api_key: "${env:QIANFAN_API_KEY}", secret_key: "${env:QIANFAN_SECRET_KEY}"}',
        )
        keys = {"QIANFAN_API_KEY": "k3y-one-two", "QIANFAN_SECRET_KEY": "s3cr3t-three"}
        checked = command(tmp_path, "validate", "recipe.yaml", **keys)
        assert checked.returncode == 0
        assert f"warning[option]: {told.message}\n" in checked.stderr
        assert f"hint: {told.hint}\n" in checked.stderr
        chinese = hint_in_chinese(tmp_path)
        assert "百度已于 2026-08-31 停用千帆 v1 接口" in chinese
        assert "改用 v2：写 api_key" in chinese
        (tmp_path / "s.jsonl").write_text('{"instruction": "[[6]]", "output": "b"}\n')
        done = command(tmp_path, "run", "recipe.yaml", **keys)
        assert done.returncode == 1
        assert f"error 6: as told; {told.message}: {told.hint}" in done.stderr
        assert "s3cr3t" not in done.stderr


async def test_v1_is_told_where_it_says_that_it_is_gone() -> None:
    for code, words in ((110, "Access token invalid or no longer valid"), (336001, "服务已下线")):
        adapter = object.__new__(QianfanV1)

        async def refused(request: Any, code: int = code, words: str = words) -> Any:
            raise CallFailed("final", f"error {code}: {words}", status=400)

        adapter._chat = refused  # type: ignore[method-assign]
        with pytest.raises(CallFailed, match="for v2 write api_key") as caught:
            await adapter.chat(Request("chat"))
        assert caught.value.blame == "provider"


LISTS = [
    ({"data": [{"id": "deepseek-flash"}, {"id": "m-2"}]}, "m", "warning", "near to it: m-2"),
    ({"data": [{"id": "models/m"}]}, "m", "ok", "lists model 'm'"),
    ([{"id": "m"}], "m", "ok", "lists model 'm'"),
    ({"data": [{"id": "m", "shutdown_date": "2027-01-14"}]}, "m", "warning", "on 2027-01-14"),
    ({"data": [{"id": f"x{at}"} for at in range(99)]}, "qq", "warning", "and 96 more"),
    ({"data": []}, "m", None, ""),
    ({"data": "none"}, "m", None, ""),
    (web.Response(status=404), "m", None, ""),
    (web.Response(body=b"<html>", status=200), "m", None, ""),
    (web.Response(body=b"broken", status=500), "m", "warning", "cannot be read"),
]


@pytest.mark.parametrize(("listed", "name", "state", "words"), LISTS)
async def test_the_servers_own_list_of_models(
    listed: Any, name: str, state: str | None, words: str
) -> None:
    async with vendor_server() as server:
        server.listed = listed
        asked = provider("openai", model=name, base_url=server.base("deepseek"), api_key="")
        found = await asked.check_server(_Connecting())
    assert [each.state for each in found] == ([state] if state else [])
    assert words in "".join(f"{each.found} {each.advice}" for each in found)


NAMES = st.text(max_size=9)


ENTRIES = st.fixed_dictionaries({}, optional={"shutdown_date": st.none() | NAMES | st.integers()})


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, st.dictionaries(NAMES, ENTRIES, max_size=4))
def test_any_list_gives_a_finding(name: str, listed: dict[str, dict[str, Any]]) -> None:
    found = listed_check(name, listed)
    assert f"'{name}'" in found.found
    day = listed.get(name, {}).get("shutdown_date")
    dated = isinstance(day, str) and day
    assert found.state == ("ok" if name in listed and not dated else "warning")


def test_words_for_a_model_that_goes() -> None:
    for entry in ({"expiration_date": "2026-12-01"}, {"status": "Shutdown"}, {"active": False}):
        found = listed_check("m", {"m": entry})
        assert found.state == "warning" and "withdraws model 'm'" in found.found
    for entry in ({"status": "Active"}, {"active": True}, {"deprecation": None}):
        assert listed_check("m", {"m": entry}).state == "ok"


class _TwoPages(ModelList):
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def _page(self, query: str) -> Any:
        self.asked.append(query)
        if query:
            return {"data": [{"id": "b"}], "has_more": False}
        return {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}


async def test_a_list_of_several_pages_is_read_to_its_end() -> None:
    pages = _TwoPages()
    assert list(await pages.entries() or ()) == ["a", "b"]
    assert pages.asked == ["", "?after_id=a&after=a"]


async def test_doctor_tells_a_model_that_the_server_does_not_list(tmp_path: Path) -> None:
    async with vendor_server() as server:
        server.listed = {"data": [{"id": "deepseek-flash"}, {"id": "deepseek-v4-pro"}]}
        base = server.base("deepseek")
        asked = f"model: deepseek-flesh, base_url: '{base}', api_key: ''"
        written(tmp_path, f"p: {{use: openai, {asked}}}")
        done = await asyncio.to_thread(command, tmp_path, "doctor", "recipe.yaml")
    assert done.returncode == 0, done.stdout
    assert "openai: the server does not list model 'deepseek-flesh'" in done.stdout
    assert "near to it: deepseek-flash" in done.stdout


def test_doctor_tells_what_is_withdrawn_and_what_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    recipe = check_recipe(
        written(
            tmp_path,
            "p: {use: openai, vendor: deepseek, model: deepseek-chat}",
            "q: {use: openai, model: gpt-4o-mini-2024-07-18}",
            "r: {use: openai, model: gpt-6-luna}",
        )
    )
    found = list(check_withdrawals(recipe, date(2026, 11, 29), offline=True))
    told = {each.subject: each.found.message("en") for each in found if each.subject != "q"}
    assert told == {"p": "model 'deepseek-chat' was withdrawn by DeepSeek on 2026-07-24"}
    (ahead,) = (each for each in found if each.found.slug == "doctor-model-retires")
    assert (ahead.subject, ahead.facts["date"]) == ("q", "2027-01-14")
    early = check_withdrawals(recipe, date(2026, 1, 1), offline=True)
    assert "doctor-model-retires" not in {each.found.slug for each in early}


def test_a_budget_is_held_in_its_own_currency(tmp_path: Path) -> None:
    recipe = written(tmp_path, "p: {use: openai, vendor: deepseek, model: deepseek-flash}")
    text = recipe.read_text()
    for currency in ("CNY", "USD"):
        recipe.write_text(f"{text}budget: {{max_cost: 5 {currency}}}\n")
        done = command(tmp_path, "plan", "recipe.yaml", "--json", DEEPSEEK_API_KEY="k")
        assert done.returncode == 0, done.stderr
        assert f'"{currency}"' in done.stdout, done.stdout


def test_prices_of_the_file_hold_at_their_address_alone() -> None:
    luna = price_of(provider("openai", model="gpt-6-luna"))
    assert luna and (luna.input, luna.of_cached, luna.output) == (0.1, 0.01, 0.5)
    assert vendor_price(provider("openai", vendor="qwen", model="qwen3.8-max")) is None
    intl = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    abroad = vendor_price(provider("openai", vendor="qwen", model="qwen-plus", base_url=intl))
    assert abroad and abroad.output == 4  # as it is while the model thinks
    peak = vendor_price(provider("openai", vendor="deepseek", model="deepseek-flash"))
    assert peak and (peak.input, peak.output, peak.currency) == (0.3, 1.2, "USD")
    chinese = price_of(provider("openai", vendor="deepseek", model="deepseek-flash"), "CNY")
    assert chinese and (chinese.input, chinese.of_cached, chinese.currency) == (2, 0.04, "CNY")
    by_litellm = vendor_price(provider("litellm", model="anthropic/claude-opus-5-5"))
    assert by_litellm and by_litellm.output == 20
    mine = provider("openai", model="gpt-6-luna", price={"input": 9, "output": 9})
    assert price_of(mine) == mine.price
    gateway = provider("openai", model="gpt-6-luna", base_url="https://llm.example.com/v1")
    assert vendor_price(gateway) is None


class _Connecting:
    """What a provider is connected with, in these tests."""

    concurrency = 1
    folder = Path()

    def __init__(self) -> None:
        self.limits = provider("openai", model="m").effective_limits()

    def secret(self, value: str) -> str:
        return value

    def progress(self, text: str) -> None:
        """Nothing."""
