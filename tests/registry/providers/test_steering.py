"""What recipes and vendors say of requests: what leaves, what is in the key, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.calls.ledger.call_keys import provider_part
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.option_types import Sampling
from sftrecipe.plugin.provider import Provider
from sftrecipe_registry.generators.respond import Respond
from sftrecipe_registry.shared.http.steering import Steering, merged

from ...support.asked_calls import provider, say, session
from ...support.piecewise_server import Asked, piecewise_server, whole
from ...support.standin_runs import Whole

GOOD = {"choices": [{"message": {"content": "so it is"}, "finish_reason": "stop"}]}


async def _sent(
    folder: Path, options: Mapping[str, Any], sampling: Mapping[str, Any]
) -> tuple[dict[str, Any], Asked]:
    """The body's parameters of a call, and all that was asked."""
    async with (
        piecewise_server(lambda asked: whole(GOOD)) as server,
        session(server.url, folder, **options) as opened,
    ):
        await say(opened.model("teacher", "step"), "hello", sampling=sampling)
    body = server.asked[-1].body
    rest = {name: body[name] for name in body if name not in ("model", "messages")}
    return rest, server.asked[-1]


SENT: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {"temperature": 0.5}, {"temperature": 0.5}),
    "extra": (
        {"extra": {"top_k": 20, "a": {"b": 1, "c": [1]}}},
        {"extra": {"a": {"c": [2], "d": None}}},
        {"top_k": 20, "a": {"b": 1, "c": [2], "d": None}},
    ),
    "omit": (
        {"omit": ["temperature"]},
        {"temperature": 0.5, "top_p": 0.9, "min_p": 0.1, "omit": ["top_p"]},
        {"min_p": 0.1},
    ),
    "vLLM": (
        {"vendor": "vllm", "thinking": "off"},
        {},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ),
    "beside extra": (
        {"vendor": "vllm", "thinking": "off", "extra": {"chat_template_kwargs": {"x": 1}}},
        {},
        {"chat_template_kwargs": {"enable_thinking": False, "x": 1}},
    ),
    "DashScope": (
        {"vendor": "qwen", "model": "qwen-plus", "thinking": "on"},
        {"thinking": {"budget": 300}},
        {"enable_thinking": True, "thinking_budget": 300},
    ),
    "DashScope's open models": (
        {"vendor": "qwen", "model": "qwen3-32b"},
        {"max_tokens": 9},
        {"enable_thinking": False, "max_tokens": 9},
    ),
    "which think in streams": (
        {"vendor": "qwen", "model": "qwen3-32b"},
        {"thinking": "on"},
        {"enable_thinking": True, "stream": True, "stream_options": {"include_usage": True}},
    ),
    "and stream only": (
        {"vendor": "qwen", "model": "qwen3-235b-a22b-thinking-2507"},
        {},
        {"stream": True, "stream_options": {"include_usage": True}},
    ),
    "GLM": (
        {"vendor": "glm", "model": "glm-4.6"},
        {"thinking": "off"},
        {"thinking": {"type": "disabled"}},
    ),
    "OpenAI": (
        {"vendor": "openai", "model": "gpt-6-luna"},
        {"temperature": 0.3, "max_tokens": 5, "thinking": "off"},
        {"temperature": 0.3, "max_completion_tokens": 5, "reasoning_effort": "none"},
    ),
    "which takes no temperature while it thinks": (
        {"vendor": "openai", "model": "gpt-6-luna", "reasoning_effort": "low"},
        {"temperature": 0.3},
        {"reasoning_effort": "low"},
    ),
    "effort of a block over thinking of the provider": (
        {"vendor": "openai", "model": "gpt-6-luna", "thinking": "off"},
        {"reasoning_effort": "high"},
        {"reasoning_effort": "high"},
    ),
    "a block's thinking over the provider's extra": (
        {"vendor": "vllm", "extra": {"a": 1, "chat_template_kwargs": {"enable_thinking": True,
                                                                      "x": 1}}},
        {"thinking": "off"},
        {"a": 1, "chat_template_kwargs": {"enable_thinking": False, "x": 1}},
    ),
    "reasoning of OpenRouter": (
        {"vendor": "openrouter", "extra": {"reasoning": {"max_tokens": 9}}},
        {},
        {"reasoning": {"max_tokens": 9}},
    ),
    "tier": ({"service_tier": "flex"}, {}, {"service_tier": "flex"}),
    "no usage of streams": ({"stream": True, "omit": ["stream_options"]}, {}, {"stream": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", SENT)
async def test_what_leaves(tmp_path: Path, name: str) -> None:
    options, sampling, expected = SENT[name]
    assert (await _sent(tmp_path, options, sampling))[0] == expected


async def test_headers_leave_with_their_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TENANTS_TOKEN", "tk-0123456789abcdef")
    given = {"X-Title": "a b", "X-Tenant-Token": "${env:A_TENANTS_TOKEN}"}
    _, asked = await _sent(tmp_path, {"headers": given}, {})
    assert asked.headers["x-title"] == "a b"
    assert asked.headers["x-tenant-token"] == "tk-0123456789abcdef"


def _provider(use: str, **options: Any) -> Provider:
    made = plugin_class("provider", use).model_validate({"model": "m", **options})
    assert isinstance(made, Provider)
    return made


@pytest.mark.parametrize("use", ["openai", "vllm", "ernie", "litellm"])
def test_what_changes_a_reply_is_in_the_key(use: str) -> None:
    plain = provider_part(use, _provider(use).identity())
    assert plain == provider_part(use, {"model": "m"})
    told: list[dict[str, Any]] = [
        {"extra": {"top_k": 1}}, {"extra": {"top_k": 2}}, {"omit": ["temperature"]},
        {"thinking": "off"}, {"thinking": {"budget": 5}}, {"reasoning_effort": "low"},
        *([{"api": "responses"}] if use == "openai" else []),
    ]  # fmt: skip
    parts = [provider_part(use, _provider(use, **each).identity()) for each in told]
    assert len({plain, *parts}) == len(told) + 1
    silent: list[dict[str, Any]] = [
        {"headers": {"X-A": "b"}}, {"service_tier": "flex"}, {"stream": True}, {"extra": {}},
    ]  # fmt: skip
    assert {provider_part(use, _provider(use, **each).identity()) for each in silent} == {plain}


def test_what_is_not_written_is_in_no_steps_key() -> None:
    new = {"extra", "thinking", "reasoning_effort", "omit"}
    assert not new & Respond().identity().keys()
    written = Respond.model_validate({"thinking": {"budget": 9}, "omit": ["top_p"]})
    assert written.identity()["thinking"] == {"budget": 9}
    assert written.sampling() == {"thinking": {"budget": 9}, "omit": ["top_p"]}
    assert Sampling().sampling() == {}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("openai", {"extra": {"messages": []}}, "which the engine sends itself"),
    ("openai", {"extra": {"temperature": 1}}, "which the engine sends itself"),
    ("openai", {"extra": {"n": 2}}, "which the engine sends itself"),
    ("openai", {"extra": {"stream": True}}, "which the engine sends itself"),
    ("openai", {"omit": ["messages"]}, "is no parameter that can be left out"),
    ("openai", {"omit": ["temprature"]}, "is no parameter that can be left out"),
    ("openai", {"base_url": "https://gate.example/v1", "thinking": "off"}, "it is not known how"),
    ("openai", {"vendor": "glm", "model": "glm-4.6", "thinking": {"budget": 5}}, "has no param"),
    ("openai", {"vendor": "openai", "model": "gpt-5", "thinking": "off"}, "cannot be told not to"),
    ("openai", {"vendor": "vllm", "thinking": "off", "reasoning_effort": "low"}, "contradict"),
    ("vllm", {"thinking": "on", "extra": {"chat_template_kwargs": {}}}, "the same thing twice"),
    ("openai", {"mode": "batch", "stream": True}, "not as streams"),
    ("openai", {"headers": {"Bad name": "x"}}, "is no header's name"),
    ("openai", {"headers": {"Host": "x"}}, "is the connection's own"),
    ("openai", {"headers": {"Authorization": "x"}, "api_key": "k"}, "holds the api_key already"),
    ("openai", {"headers": {"X-A": "x\r\nX-B: y"}}, "is not printable ASCII"),
    ("openai", {"headers": {"X-A": "中"}}, "is not printable ASCII"),
    ("openai", {"headers": {"X-A": "1", "x-a": "2"}}, "is given twice"),
    ("ernie", {"secret_key": "s", "extra": {"a": 1}}, "is not taken by the older interface"),
    ("litellm", {"stream": True}, "litellm's streams are not read"),
]  # fmt: skip


@pytest.mark.parametrize(("use", "options", "told"), WRONG, ids=lambda each: str(each)[:40])
def test_what_is_refused_at_validate(use: str, options: dict[str, Any], told: str) -> None:
    found = list(_provider(use, **options).problems(None, OptionFiles({})))
    assert [each for each in found if told in each.message], found
    assert all(each.path[0] in options for each in found if told in each.message)


@pytest.mark.parametrize("use", ["embedded", "transformers"])
def test_models_on_this_machine_take_no_word_of_requests(use: str) -> None:
    cls = plugin_class("provider", use)
    made = cls.model_validate({"model": "a/b"} if "model" in cls.model_fields else {})
    assert isinstance(made, Provider)
    sampling = {"temperature": 1, "thinking": "off", "extra": {"a": 1}}
    assert {each.path for each in made.sampling_problems(sampling)} == {("thinking",), ("extra",)}


def test_responses_take_few_parameters() -> None:
    made = _provider("openai", api="responses")
    assert not list(made.sampling_problems({"temperature": 1, "max_tokens": 5}))
    assert [each.path for each in made.sampling_problems({"stop": ["x"]})] == [("stop",)]


def test_the_command_refuses_a_block_that_its_provider_cannot_serve(tmp_path: Path) -> None:
    whole_ = Whole(tmp_path, "http://127.0.0.1:9/v1")
    text = (tmp_path / "recipe.yaml").read_text().replace("{replace: true}", "{thinking: off}")
    (tmp_path / "recipe.yaml").write_text(text)
    done = whole_.command("validate", "recipe.yaml")
    assert done.returncode == 2 and "error[provider-option]" in done.stderr + done.stdout
    told = whole_.command("validate", "recipe.yaml", "--json", language="zh")
    assert '"provider-option"' in told.stdout and "服务 'teacher'：" in told.stdout


def test_merging_leaves_what_is_under_as_it_was() -> None:
    under, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(under, over) == {"a": {"b": 1, "c": 2}}
    assert (under, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})
    assert Steering().of({"temperature": 1}) == Steering()


async def test_what_a_vendor_refuses_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    async with (
        piecewise_server(lambda asked: whole(GOOD)) as server,
        open_session(
            provider(server.url, vendor="openai", model="gpt-5"),
            tmp_path / "ledger.sqlite",
            run="r",
            progress=told.append,
        ) as opened,
    ):
        for text in ("a", "b"):
            await say(opened.model("teacher", "step"), text, sampling={"temperature": 0.5})
    assert [line for line in told if "temperature is not sent" in line] == told[:1]
