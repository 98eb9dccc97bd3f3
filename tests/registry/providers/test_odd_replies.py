"""Replies that are odd in some part: the part is lost at most, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed
from sftrecipe.plugin import ending_of
from sftrecipe_registry.shared.http.failures import failure_of, fault_of, retry_after
from sftrecipe_registry.shared.http.rate_headers import limits_in, seconds_until
from sftrecipe_registry.shared.http.replies import (
    chat_answer,
    completion_answer,
    embedding_answer,
    likelihood_answer,
)
from sftrecipe_registry.shared.http.reply_inflation import Inflating
from sftrecipe_registry.shared.http.reply_json import MOST_TOKENS, parse_json

from ...support.asked_calls import say, session
from ...support.odd_server import Sent, odd_server, told

EXAMPLES = max(60, int(os.environ.get("SFTRECIPE_TEST_RUNS", "0")) * 20)

_ATOMS = st.one_of(
    st.none(), st.booleans(), st.floats(), st.text(max_size=8),
    st.integers(-(2**80), 2**80), st.sampled_from(["\ud83d", "\x00", "stop", "many", "1e999", -1]),
)  # fmt: skip
_ODD = st.recursive(
    _ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def _object(**parts: Any) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these parts, any of which may be something else altogether."""
    return st.fixed_dictionaries({}, optional={name: part | _ODD for name, part in parts.items()})


_TOKENS = st.lists(_object(logprob=st.floats(), token=st.text(max_size=3)) | _ODD, max_size=3)
_LOGPROBS = _object(
    content=_TOKENS, token_logprobs=st.lists(st.floats() | _ODD, max_size=3),
    text_offset=st.lists(st.integers(0, 9) | _ODD, max_size=3),
)  # fmt: skip
_MESSAGE = _object(
    role=st.just("assistant"), content=st.text() | st.lists(_object(text=st.text()), max_size=2),
    tool_calls=st.lists(_ODD, max_size=2), refusal=st.text(max_size=4),
)  # fmt: skip
_CHOICE = _object(
    message=_MESSAGE, text=st.text(), logprobs=_LOGPROBS,
    finish_reason=st.sampled_from(["stop", "length", "abort", "content_filter", "error"]),
)  # fmt: skip
_USAGE = _object(
    prompt_tokens=st.integers(), completion_tokens=st.integers(),
    prompt_tokens_details=_object(cached_tokens=st.integers()),
    completion_tokens_details=_object(reasoning_tokens=st.integers()),
    prompt_cache_hit_tokens=st.integers(),
)  # fmt: skip
_DATA = st.lists(_object(embedding=st.lists(st.floats() | _ODD, max_size=3)), max_size=2)
REPLIES = _object(
    choices=st.lists(_CHOICE, max_size=2), usage=_USAGE, model=st.just("m"), data=_DATA,
    error=_object(message=st.text(), code=st.text(), param=st.text(), type=st.text()),
)  # fmt: skip


def _written(value: Any, drawn: int) -> bytes:
    """As a server might write it: halves of characters as escapes or as bytes, NaN as such."""
    text = json.dumps(value, ensure_ascii=bool(drawn & 1))
    content = text.encode("utf-8", "surrogatepass")
    return (b"\xef\xbb\xbf" if drawn & 2 else b"") + content


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(REPLIES | _ODD, st.integers(0, 3))
def test_reading_raises_nothing_but_call_failed(reply: Any, drawn: int) -> None:
    content = _written(reply, drawn)
    failure_of(400, content, {})
    parsed = parse_json(content)
    assert parsed is not None
    if not isinstance(parsed.value, dict):
        return
    fault_of(parsed.value)
    for read in (
        lambda: chat_answer(parsed.value, "raw"),
        lambda: completion_answer(parsed.value, "raw"),
        lambda: embedding_answer(parsed.value),
        lambda: likelihood_answer(parsed.value, "a", "b", "raw"),
    ):
        try:
            answer = read()
        except CallFailed:
            continue
        answer.text.encode()
        answer.raw.encode()
        assert 0 <= answer.input_tokens <= MOST_TOKENS
        assert 0 <= answer.output_tokens <= 2 * MOST_TOKENS
        assert 0 <= answer.cached_tokens <= answer.input_tokens
        assert all(value - value == 0 for value in (*answer.logprobs, *answer.vector))
        ending_of(answer.finish_reason)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_not(content: bytes) -> None:
    parse_json(content)
    assert isinstance(failure_of(500, content, {}), CallFailed)
    parts = Inflating(deflate=bool(len(content) % 2))
    try:
        assert all(len(piece) <= 1 << 16 for piece in parts.pieces(content))
    except CallFailed as failure:
        assert failure.reason == "unreadable_reply"


_HEADER = st.text(max_size=12) | st.sampled_from(
    ["0", "-5", "nan", "inf", "-inf", "1e9", "1e999", "Mon, 01 Jan 99999 00:00:00 GMT", "١", "1h1h",
     "Wed, 21 Oct 2015 07:28:00 -0000", "9999-12-31T23:59:59+00:00", "0001-01-01", "1e-9", "-0"]
)  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None)
@given(_HEADER, _HEADER, _HEADER)
def test_headers_of_waits_are_numbers_or_nothing(one: str, two: str, three: str) -> None:
    headers = {"Retry-After": one, "Date": two}
    for told_seconds in (retry_after(headers), retry_after({"retry-after-ms": one})):
        assert told_seconds is None or 0 <= told_seconds < float("inf")
    seconds = seconds_until(one)
    assert seconds is None or seconds >= 0
    names = ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")
    limits_in(dict(zip(names, (one, two, three), strict=True)))


SURROGATE = (
    b'{"choices":[{"message":{"content":"hi \\ud83d"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1}}'
)
DEEP = b'{"choices":[{"message":{"content":"deep"}}],"more":' + b"[" * 5000 + b"]" * 5000 + b"}"
READ = {
    "surrogate": (Sent(200, SURROGATE), "hi \ufffd"),
    "whole pair": (Sent(200, SURROGATE.replace(b"ud83d", b"ud83d\\ude00")), "hi \U0001f600"),
    "byte": (Sent(200, told("a").body.replace(b'"a"', b'"a\xff"')), "a\ufffd"),
    "mark": (Sent(200, b"\xef\xbb\xbf" + told().body), "so it is"),
    "nan": (told(logprobs={"content": [{"logprob": float("nan")}]}), "so it is"),
    "logprobs null": (told(logprobs={"content": [None]}), "so it is"),
    "logprobs text": (told(logprobs="none"), "so it is"),
    "big": (Sent(200, told().body.replace(b"3", b"9" * 400)), "so it is"),
    "usage": (Sent(200, told().body.replace(b'{"prompt_tokens"', b'[1], "x": {"a"')), "so it is"),
    "null byte": (told("a\x00b"), "a\x00b"),
    "parts": (told(message={"content": [{"text": "a"}, None, "b", {"text": 3}]}), "ab"),
    "no message": (told(message=None), ""),
    "content": (told(message={"content": {"a": 1}}), ""),
    "more": (Sent(200, told().body.replace(b"[{", b'[{"message": {"content": "x"}}, {')), "x"),
    "twice": (Sent(200, b'{"choices": [], ' + told("second").body[1:]), "second"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
async def test_what_can_be_read_is_read_and_paid_once(tmp_path: Path, name: str) -> None:
    sent, text = READ[name]
    with odd_server(lambda said, before: sent) as server:
        for _ in range(2):
            async with session(server.url, tmp_path) as opened:
                assert (await say(opened.model("teacher", "ask"), "x")).text == text
    assert server.asked.total() == 1


UNREAD = {
    "deep": Sent(200, DEEP),
    "cut": Sent(200, told().body[:30]),
    "empty": Sent(200, b""),
    "list": Sent(200, b"[]"),
    "no choices": Sent(200, b'{"choices": []}'),
    "br": Sent(200, told().body, {"Content-Encoding": "br"}),
    "no gzip": Sent(200, told().body, {"Content-Encoding": "gzip"}),
    "bomb": Sent(200, gzip.compress(b" " * (40 << 20)), {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", UNREAD)
async def test_what_cannot_be_read_is_kept_as_such(tmp_path: Path, name: str) -> None:
    answers = {"good": told(), "bad": UNREAD[name]}
    with odd_server(lambda said, before: answers[said]) as server:
        for asked in (1, 2):
            async with session(server.url, tmp_path, limits={"attempts": 2}) as opened:
                model = opened.model("teacher", "ask")
                await say(model, "good")
                with pytest.raises(CallFailed) as caught:
                    await say(model, "bad")
                assert caught.value.reason == "unreadable_reply"
            assert server.asked["bad"] <= 2, asked


@pytest.mark.parametrize("form", ["gzip", "zlib", "raw", "members"])
async def test_compressed_replies_are_read(tmp_path: Path, form: str) -> None:
    body = told("z" * 300_000).body
    raw = zlib.compressobj(wbits=-15)
    written = {
        "gzip": lambda: gzip.compress(body),
        "zlib": lambda: zlib.compress(body),
        "raw": lambda: raw.compress(body) + raw.flush(),
        "members": lambda: gzip.compress(body[:99]) + gzip.compress(body[99:]),
    }[form]()
    encoding = "gzip" if form in ("gzip", "members") else "deflate"
    sent = Sent(200, written, {"Content-Encoding": encoding})
    with odd_server(lambda said, before: sent) as server:
        async with session(server.url, tmp_path) as opened:
            assert len((await say(opened.model("teacher", "ask"), "x")).text) == 300_000


def test_replies_that_inflate_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Eight at once, of 200 MB each, and failures of that size; the memory of the real command."""
    bomb = gzip.compress(b" " * (200 << 20), 1)
    encoded = {"Content-Encoding": "gzip"}
    sent = {"200": Sent(200, bomb, encoded), "400": Sent(400, bomb, encoded), "good": told()}
    with odd_server(lambda said, before: sent[said.split()[0]]) as server:
        (tmp_path / ".sftrecipe").mkdir()
        (tmp_path / "recipe.yaml").write_text(
            "version: 1\nname: t\nproviders:\n"
            f'  p: {{use: openai, model: m, base_url: "{server.url}", api_key: ""}}\nsources:\n'
            "  s: {use: jsonl, path: a.jsonl}\ngenerate:\n"
            "  - {id: g, use: respond, from: s, provider: p}\nexport:\n  - {use: llamafactory}\n"
        )
        texts = [f"{kind} {n}" for kind in ("200", "400", "good") for n in range(4)]
        rows = "".join(json.dumps({"instruction": text}) + "\n" for text in texts)
        (tmp_path / "a.jsonl").write_text(rows)
        script = (
            "import resource, subprocess, sys\n"
            "words = [sys.executable, '-m', 'sftrecipe.cli.main', 'run', 'recipe.yaml']\n"
            "done = subprocess.run(words)\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
    kilobytes, status = done.stdout.splitlines()[-1].split()
    assert status == "0", done.stderr
    assert int(kilobytes) < 300_000
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "runs/t/rejects.jsonl").open()]
    assert sorted(reasons) == ["call_failed"] * 4 + ["unreadable_reply"] * 4


@pytest.mark.parametrize(
    ("word", "ending"),
    [
        (None, "whole"), ("", "whole"), ("stop", "whole"), ("STOP", "whole"), ("eos", "whole"),
        ("end_turn", "whole"), ("tool_calls", "whole"), ("function_call", "whole"),
        ("length", "cut_off"), ("max_tokens", "cut_off"), ("model_length", "cut_off"),
        ("abort", "cut_off"), ("repetition_truncation", "cut_off"), ("a word", "cut_off"),
        (7, "cut_off"), (["stop"], "cut_off"), ({"a": 1}, "cut_off"), (False, "cut_off"),
        ("content_filter", "refused"), ("sensitive", "refused"), ("SAFETY", "refused"),
        ("error", "again"), ("insufficient_system_resource", "again"),
    ],
)  # fmt: skip
async def test_finish_reasons(tmp_path: Path, word: Any, ending: str) -> None:
    with odd_server(lambda said, before: told(finish_reason="stop" if before else word)) as server:
        async with session(server.url, tmp_path) as opened:
            model = opened.model("teacher", "ask")
            if ending == "refused":
                with pytest.raises(CallFailed) as caught:
                    await say(model, "x")
                assert caught.value.reason == "refused"
                return
            reply = await say(model, "x")
            assert reply.cut_off == (ending == "cut_off")
    assert server.asked.total() == 1 + (ending == "again")


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(REPLIES, st.integers(0, 3)), min_size=3, max_size=6))
def test_odd_replies_of_a_real_server_are_paid_once(
    tmp_path_factory: pytest.TempPathFactory, replies: list[tuple[Any, int]]
) -> None:
    """A sound server with odd replies: each call ends, and the next run pays for none again."""
    folder = tmp_path_factory.mktemp("odd")
    bodies = [_written(*each) for each in replies]

    async def ask_all(url: str) -> list[str]:
        limits = {"attempts": 1, "timeout": 5}
        async with session(url, folder, limits=limits) as opened:
            model = opened.model("teacher", "ask")
            ends = [(await say(model, "good")).text]
            for number in range(len(bodies)):
                try:
                    ends.append((await say(model, str(number))).text)
                except CallFailed as failure:
                    ends.append(failure.reason)
            return ends

    with odd_server(lambda s, n: told() if s == "good" else Sent(200, bodies[int(s)])) as server:
        first = asyncio.run(ask_all(server.url))
        server.asked.clear()
        again = asyncio.run(ask_all(server.url))
        asked = [said for said in server.asked if first[int(said) + 1] != "call_failed"]
    assert again == first
    assert asked == []
