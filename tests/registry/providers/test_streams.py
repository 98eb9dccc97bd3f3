"""Replies that come as streams of events, however they are cut, and however they end."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed
from sftrecipe_registry.shared.http import event_stream
from sftrecipe_registry.shared.http.event_stream import Events, StreamedReply, put_together

from ...support.asked_calls import say, session
from ...support.odd_server import Sent, odd_server
from ...support.piecewise_server import DONE, chunked, event, piecewise_server, said, whole
from ...support.scripted_replies import responding

EXAMPLES = max(60, int(os.environ.get("SFTRECIPE_TEST_RUNS", "0")) * 20)
USAGE = {"prompt_tokens": 5, "completion_tokens": 7}

_text = st.text(st.characters(codec="utf-8"), max_size=12)
_pieces = st.lists(_text, max_size=6)
_call = st.fixed_dictionaries(
    {"name": st.text("abc_", min_size=1, max_size=5), "arguments": _pieces, "id": st.uuids()}
)


@st.composite
def _replies(draw: st.DrawFn) -> tuple[dict[str, Any], list[bytes]]:
    """A message and its end, and the events that tell it."""
    name = draw(st.sampled_from(["reasoning_content", "reasoning"]))
    thoughts, texts, calls = draw(_pieces), draw(_pieces), draw(st.lists(_call, max_size=2))
    finish = draw(st.sampled_from(["stop", "length", "tool_calls", "abort"]))
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{name: piece, "content": None} for piece in thoughts]
    deltas += [{"content": piece} for piece in texts]
    for index, call in enumerate(calls):
        begun = {"name": call["name"], "arguments": ""}
        begun = {"index": index, "id": str(call["id"]), "type": "function", "function": begun}
        parts = [{"index": index, "function": {"arguments": each}} for each in call["arguments"]]
        deltas += [{"tool_calls": [part]} for part in (begun, *parts)]
    events = [{"choices": [{"index": 0, "delta": delta}], "id": "x"} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({"choices": [], "usage": USAGE})
    message = {"content": "".join(texts), name: "".join(thoughts), "calls": calls, "end": finish}
    return message, [json.dumps(each, ensure_ascii=draw(st.booleans())).encode() for each in events]


@st.composite
def _bodies(draw: st.DrawFn) -> tuple[dict[str, Any], list[bytes]]:
    """A message, and a stream's pieces, cut anywhere."""
    message, events = draw(_replies())
    line = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    between = [
        b"",
        b": keep-alive" + line,
        b"event: message" + line,
        b"id: 7" + line,
        b"data:" + line,
    ]
    body = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    for each in events:
        space = b" " if draw(st.booleans()) else b""
        body += draw(st.sampled_from(between)) + b"data:" + space + each + line + line
    body += b"data: [DONE]" + draw(st.sampled_from([line + line, line, b""]))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=20)))
    ends = [0, *cuts, len(body)]
    return message, [body[begin:end] for begin, end in itertools.pairwise(ends)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(_bodies())
def test_any_cutting_of_a_stream_gives_the_reply(body: tuple[dict[str, Any], list[bytes]]) -> None:
    message, pieces = body
    events, reply = Events(), StreamedReply()
    for piece in pieces:
        for each in events.feed(piece):
            reply.add(each)
    for each in events.end():
        reply.add(each)
    found = reply.whole(done=events.done)
    choice = found["choices"][0]
    told = choice["message"]
    for name in message.keys() - {"calls", "end"}:
        assert (told.get(name) or "") == message[name]
    assert choice["finish_reason"] == message["end"]
    assert found["usage"] == USAGE
    calls = [(each["function"], each["id"]) for each in told.get("tool_calls", [])]
    assert calls == [
        ({"name": call["name"], "arguments": "".join(call["arguments"])}, str(call["id"]))
        for call in message["calls"]
    ]
    assert put_together(b"".join(pieces)) == found


def test_gemini_gives_parallel_calls_one_index() -> None:
    reply = StreamedReply()
    for name in ("a", "b"):
        call = {"index": 0, "id": f"id-{name}", "function": {"name": name, "arguments": "{}"}}
        reply.add({"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": None}]})
    calls = reply.whole(done=True)["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["a", "b"]


def test_parts_of_content_grow(tmp_path: Path) -> None:
    """Magistral's, whose thoughts are parts beside the text's."""
    reply = StreamedReply()
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    for content in ([thought], [thought], [{"type": "text", "text": "so "}], "it is"):
        reply.add({"choices": [{"delta": {"content": content}}]})
    content = reply.whole(done=True)["choices"][0]["message"]["content"]
    assert content == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hmhm"}]},
        {"type": "text", "text": "so it is"},
    ]


def test_what_is_said_again_as_a_whole_is_no_more_text() -> None:
    reply = StreamedReply()
    for choice in (
        {"delta": {"content": "so "}}, {"delta": {"content": "it is"}},
        {"message": {"role": "assistant", "content": "so it is"}, "finish_reason": "stop"},
    ):  # fmt: skip
        reply.add({"choices": [{"index": 0, **choice}]})
    assert reply.whole(done=True)["choices"][0]["message"]["content"] == "so it is"


async def test_streams_end_in_many_ways(tmp_path: Path) -> None:
    broken = {"error": {"message": "overloaded", "code": 503}}
    ways: dict[str, list[Any]] = {
        "good": chunked(
            [said("so it "), 0.01, said("is", "stop"), event(choices=[], usage=USAGE), DONE]
        ),
        "zipped": [
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
            + gzip.compress(said("so it is", "stop") + DONE),
            None,
        ],
        "no done": chunked([said("so it is", "stop")]),
        "open": [*chunked([said("so it is", "stop"), DONE], ends=False)[:-1], 2.0],
        "no stream": whole({"choices": [{"message": {"content": "so it is"}}]}),
        "no end": chunked([said("so it "), DONE]),
        "moonshot": chunked([
            said("so it is"),
            event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]),
        ]),
    }  # fmt: skip
    failing: dict[str, list[Any]] = {
        "cut": chunked([said("so it ")], ends=False),
        "stops": chunked([said("so it ")]),
        "hangs": chunked([said("so it "), 3.0, said("is", "stop")]),
        "error": chunked([said("so it "), event(**broken)]),
        "named": chunked([b'event: error\ndata: {"code": 503, "message": "overloaded"}\n\n']),
        "line": chunked([said("so"), b'{"error": {"message": "overloaded", "code": 503}}\n']),
        "no json": chunked([b"data: <html>\n\n"]),
        "nothing": chunked([DONE]),
    }
    seen: set[str] = set()

    def answers(asked: Any) -> list[Any]:
        assert asked.body["stream"] is True and asked.body["stream_options"]
        name = asked.body["messages"][-1]["content"]
        if name in failing and name not in seen:
            seen.add(name)
            return failing[name]
        return ways.get(name, ways["good"])

    async with piecewise_server(answers) as server:
        limits = {"timeout": 9.0, "first_byte_timeout": 1.0}
        async with session(server.url, tmp_path, stream=True, limits=limits) as opened:
            model = opened.model("teacher", "step")
            for name in ways:
                reply = await say(model, name)
                assert reply.text == ("so it " if name == "no end" else "so it is"), name
                assert reply.cut_off is (name == "no end")
                if name in ("good", "moonshot"):
                    assert reply.output_tokens == 7
            for name in failing:
                assert (await say(model, name)).text == "so it is", name
    assert seen == set(failing)


async def test_a_server_that_knows_no_stream_options_is_asked_without(tmp_path: Path) -> None:
    def answers(asked: Any) -> Any:
        if "stream_options" in asked.body:
            text = "Unrecognized request argument supplied: stream_options"
            return whole({"error": {"message": text}}, 400)
        return chunked([said("good", "stop"), DONE])

    async with piecewise_server(answers) as server:
        async with session(server.url, tmp_path, stream=True) as opened:
            for name in ("a", "b"):
                assert (await say(opened.model("teacher", "step"), name)).text == "good"
        assert len(server.asked) == 3


async def test_a_stream_without_end_is_stopped_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "LARGEST", 100_000)
    long = said("x" * 1000)
    bodies = {"many": chunked([long * 20] * 20), "one": chunked([b"data: " + b"x" * 200_000])}
    async with (
        piecewise_server(lambda asked: bodies[asked.body["messages"][0]["content"]]) as server,
        session(server.url, tmp_path, stream=True) as opened,
    ):
        for name in bodies:
            with pytest.raises(CallFailed, match="longer than 100000 bytes"):
                await say(opened.model("teacher", "step"), name)


def test_the_command_reads_streams(tmp_path: Path) -> None:
    """In Chinese, with a thought, and of a server that ends one of them without a word."""

    def answers(said_: str, before: int) -> Sent:
        events = said(reasoning_content="想一想。") + said(f"答：{said_}") + said("好", "stop")
        return Sent(200, (said("半") if "二" in said_ else events) + DONE)

    with odd_server(answers) as server:
        project = responding(tmp_path, server.url, ["问题一", "问题二"], stream="true")
        project.run()
    rows = json.loads((project.out / "whole.json").read_text())
    assert [row["output"].rpartition("</think>")[2].strip() for row in rows] == ["答：问题一好"]
    rejects = [json.loads(line) for line in (project.out / "rejects.jsonl").open()]
    assert [each["reason"] for each in rejects] == ["cut_off"]


def test_an_error_that_says_that_nothing_is_wrong_is_none() -> None:
    choice = {"delta": {"content": "so"}, "finish_reason": "stop"}
    found = put_together(event(error={"code": 0, "message": ""}, choices=[choice]))
    assert found is not None and found["choices"][0]["message"]["content"] == "so"
