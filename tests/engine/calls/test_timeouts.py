"""Time limits on connecting, on the first byte and on the whole call; connections gone stale."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

from sftrecipe.calls.ledger.counted_calls import read_call
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.provider import CallFailed

from ...support.asked_calls import say, session
from ...support.standin import stand_in

LEDGER = ".sftrecipe/ledger.sqlite"
_REPLY = (
    b'{"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", '
    b'"content": "so it is"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}'
)


class Rude:
    """A bare HTTP server that closes kept connections without a word when they are used again."""

    def __init__(self, per_connection: int) -> None:
        self.per_connection = per_connection
        self.connections = self.answered = self.dropped = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for number in range(self.per_connection + 1):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            if number == self.per_connection:
                self.dropped += 1
                break
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            self.answered += 1
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(_REPLY), _REPLY)
            )
            await writer.drain()
        writer.close()


@asynccontextmanager
async def _listening(per_connection: int) -> AsyncIterator[tuple[Rude, str]]:
    rude = Rude(per_connection)
    async with await asyncio.start_server(rude.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield rude, f"http://127.0.0.1:{port}/v1"


async def test_a_stale_connection_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes longer than connecting did to tell that the connection is closed.
    monkeypatch.setattr("sftrecipe_registry.shared.http.connections._AT_ONCE", 5.0)
    async with (
        _listening(per_connection=1) as (rude, url),
        session(url, tmp_path, limits={"attempts": 1}) as opened,
    ):
        model = opened.model("teacher", "ask")
        replies = [await say(model, f"question {number}") for number in range(10)]
        usage = opened.usage["ask", "teacher"]
    assert (usage.asked, usage.requests, usage.failed) == (10, 10, 0)
    assert (rude.answered, rude.dropped) == (10, 9)
    call = read_call(tmp_path / LEDGER, replies[-1].key)
    assert call is not None
    assert call.attempts == 1


async def test_a_server_that_drops_every_connection_is_not_asked_for_ever(tmp_path: Path) -> None:
    async with _listening(per_connection=0) as (rude, url):
        with pytest.raises(SftrecipeError, match="cannot be used"):
            async with session(url, tmp_path, limits={"attempts": 2}) as opened:
                await say(opened.model("teacher", "ask"), "x")
    assert rude.connections == 2


async def test_a_reply_that_trickles_ends_at_the_whole_calls_timeout(tmp_path: Path) -> None:
    limits = {"timeout": 1.2, "attempts": 1, "first_byte_timeout": 0.9}
    with stand_in() as server:
        async with session(server.url, tmp_path, limits=limits) as opened:
            model = opened.model("teacher", "ask")
            await say(model, "fine")
            began = time.perf_counter()
            with pytest.raises(CallFailed, match=r"no reply within 1\.2 s"):
                await say(model, "[[drip]]")  # a letter every half second
            assert time.perf_counter() - began >= 1.2


async def test_a_reply_that_does_not_begin_is_given_up_early(tmp_path: Path) -> None:
    limits = {"timeout": 50, "attempts": 2, "first_byte_timeout": 0.3}
    with stand_in() as server:
        async with session(server.url, tmp_path, limits=limits) as opened:
            model = opened.model("teacher", "ask")
            assert (await say(model, "[[slow x1]]")).text
            assert opened.usage["ask", "teacher"].requests == 2
            assert opened.spent().tokens > 1000  # it may have been written all the same


async def test_nobody_at_the_address_is_told_soon(tmp_path: Path) -> None:
    began = time.perf_counter()
    with pytest.raises(SftrecipeError, match="cannot be used"):
        async with session("http://127.0.0.1:9/v1", tmp_path) as opened:
            await say(opened.model("teacher", "ask"), "x")
        assert opened.total().requests == 3
    assert time.perf_counter() - began < 5


async def test_a_host_that_takes_no_connection_is_given_up(tmp_path: Path) -> None:
    limits = {"connect_timeout": 0.3, "attempts": 1, "timeout": 20}
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # they fill the queue that nobody serves
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        began = time.perf_counter()
        with pytest.raises(SftrecipeError, match="Timeout"):
            async with session(f"http://127.0.0.1:{address[1]}/v1", tmp_path, limits=limits) as it:
                await say(it.model("teacher", "ask"), "x")
        assert time.perf_counter() - began < 10
        for each in waiting:
            each.close()


async def test_a_date_to_wait_for_is_read_by_the_servers_clock(tmp_path: Path) -> None:
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.append(time.monotonic())
        now = time.time() + 5 * 3600  # its clock, or ours, is five hours off
        late = f"Date: {formatdate(now)}\r\nRetry-After: {formatdate(now + 2)}\r\n"
        status = f"429 Too Many\r\n{late}" if len(asked) == 1 else "200 OK\r\n"
        head = f"HTTP/1.1 {status}Content-Length: {len(_REPLY)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + _REPLY)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with session(f"http://127.0.0.1:{port}/v1", tmp_path) as opened:
            assert (await say(opened.model("teacher", "ask"), "x")).text == "so it is"
    assert 2 <= asked[1] - asked[0] < 8
