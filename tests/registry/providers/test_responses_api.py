"""`api: responses`: OpenAI's Responses API, by its documented shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import CallFailed
from sftrecipe.plugin import is_cut_off
from sftrecipe.plugin.asked_model import Reply
from sftrecipe_registry.shared.http.replies import chat_answer
from sftrecipe_registry.shared.http.responses_api import responses_reply

from ...support.asked_calls import session
from ...support.odd_server import Sent, odd_server
from ...support.piecewise_server import Asked, chunked, event, piecewise_server, whole
from ...support.scripted_replies import responding

USAGE = {
    "input_tokens": 36, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 87,
    "output_tokens_details": {"reasoning_tokens": 64}, "total_tokens": 123,
}  # fmt: skip
THOUGHT = {
    "id": "rs_1", "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
}  # fmt: skip
CALL = {
    "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}',
    "status": "completed",
}  # fmt: skip


def _message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "content": list(parts)}


def _text(text: str, **more: Any) -> dict[str, Any]:
    return _message({"type": "output_text", "text": text, "annotations": [], **more})


def _reply(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "status": "completed", "error": None,
        "incomplete_details": None, "model": "gpt-6", "output": list(output),
        "usage": USAGE, **more,
    }  # fmt: skip


async def _asked(
    folder: Path, body: Any, turns: Any = None, **more: Any
) -> tuple[Reply, list[Asked]]:
    """The reply to a call, and what was asked."""
    options = {"api": "responses", **more.pop("options", {})}
    async with (
        piecewise_server(lambda asked: body) as server,
        session(server.url, folder, **options) as opened,
    ):
        model = opened.model("teacher", "step")
        return await model.chat(turns or [{"role": "user", "content": "hi"}], **more), server.asked


async def test_what_is_asked(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    arguments = {"name": "f", "arguments": '{"a":1}'}
    turns = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "see"},
                                     {"type": "image_url", "image_url": {"url": "http://x/y"}}]},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c1", "function": arguments}]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
        {"role": "user", "content": "and?"},
    ]  # fmt: skip
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    _, asked = await _asked(
        tmp_path,
        whole(_reply(_text("{}"))),
        turns,
        schema=schema,
        tools=[tool],
        sampling={"max_tokens": 9, "temperature": 0.5, "reasoning_effort": "low"},
        options={"service_tier": "flex", "extra": {"metadata": {"a": "b"}}},
    )
    assert asked[0].path == "/v1/responses"
    assert asked[0].body == {
        "model": "m",
        "store": False,
        "instructions": "Be kind.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "see"},
                                         {"type": "input_image", "image_url": "http://x/y"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
            {"role": "user", "content": "and?"},
        ],
        "max_output_tokens": 9,
        "temperature": 0.5,
        "reasoning": {"effort": "low", "summary": "auto"},
        "service_tier": "flex",
        "metadata": {"a": "b"},
        "text": {"format": {"type": "json_schema", "name": "reply", "schema": schema,
                            "strict": True}},
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    }  # fmt: skip


async def test_what_comes(tmp_path: Path) -> None:
    reply, _ = await _asked(tmp_path, whole(_reply(THOUGHT, _text("so it "), _text("is"))))
    assert reply.text == "so it is" and not reply.cut_off
    assert (reply.input_tokens, reply.output_tokens) == (36, 87)


def test_what_is_no_answer_is_told() -> None:
    look = {**_text("I look."), "phase": "commentary"}
    search = {"type": "web_search_call", "id": "w"}
    found = chat_answer(responses_reply(_reply(look, search, _text("It is."))), "")
    assert found.text == "It is."
    assert "output (commentary)" in found.note and "output (web_search_call)" in found.note


async def test_log_probabilities(tmp_path: Path) -> None:
    told = [{"token": "a", "logprob": -0.5, "top_logprobs": []}]
    body = whole(_reply(_text("a", logprobs=told)))
    reply, asked = await _asked(tmp_path, body, sampling={"logprobs": True})
    assert reply.logprobs == (-0.5,)
    assert asked[0].body["include"] == ["message.output_text.logprobs"]


@pytest.mark.parametrize("reason", ["max_output_tokens", "anything_new"])
async def test_what_is_not_whole(tmp_path: Path, reason: str) -> None:
    body = _reply(_text("so it"), status="incomplete", incomplete_details={"reason": reason})
    assert (await _asked(tmp_path, whole(body)))[0].cut_off
    assert (await _asked(tmp_path, whole(_reply(_text("so"), status="queued")), sample=1))[
        0
    ].cut_off
    found = chat_answer(responses_reply(_reply({**_text("so"), "status": "incomplete"})), "")
    assert is_cut_off(found.finish_reason)


async def test_what_is_refused_or_fails(tmp_path: Path) -> None:
    refusal = _message({"type": "refusal", "refusal": "I cannot"})
    filtered = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    failed = {"status": "failed", "error": {"code": "invalid_prompt", "message": "no"}}
    for number, (body, outcome) in enumerate((
        (_reply(refusal), "refused"),
        (_reply(_text("so"), **filtered), "refused"),
        (_reply(**failed), "final"),
    )):  # fmt: skip
        with pytest.raises(CallFailed) as caught:
            options = {"limits": {"attempts": 1, "timeout": 5}}
            await _asked(tmp_path, whole(body), sample=number, options=options)
        assert caught.value.outcome == outcome


async def test_streams_end_with_the_whole_reply(tmp_path: Path) -> None:
    events = [
        event(type="response.created", response=_reply(status="in_progress")),
        event(type="response.output_text.delta", delta="so"),
        event(type="response.completed", response=_reply(THOUGHT, _text("so it is"))),
    ]
    reply, asked = await _asked(tmp_path, chunked(events), options={"stream": True})
    assert reply.text == "so it is" and reply.output_tokens == 87
    assert asked[0].body["stream"] is True and "stream_options" not in asked[0].body
    done = event(type="response.output_item.done", output_index=0, item=_text("so it is"))
    empty = chunked([done, event(type="response.completed", response=_reply())])
    reply, _ = await _asked(tmp_path, empty, sample=2, options={"stream": True})
    assert reply.text == "so it is"
    cut = chunked(events[:2])
    with pytest.raises(CallFailed, match="broke off"):
        limits = {"attempts": 1, "timeout": 5}
        await _asked(tmp_path, cut, sample=1, options={"stream": True, "limits": limits})


def test_the_command_asks_responses(tmp_path: Path) -> None:
    body = json.dumps(_reply(THOUGHT, _text("答案在此"))).encode()
    with odd_server(lambda said, before: Sent(200, body)) as server:
        project = responding(tmp_path, server.url, ["问题一"], api="responses")
        project.run()
    rows = json.loads((project.out / "whole.json").read_text())
    assert [row["output"].rpartition("</think>")[2].strip() for row in rows] == ["答案在此"]
