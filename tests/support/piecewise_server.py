"""A real HTTP server that sends its replies piece by piece, as a test tells it, and keeps what it
was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

Piece = bytes | float | None
"""Bytes to send, seconds to wait, or the connection to be cut."""


class Asked(NamedTuple):
    """A request."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


class PiecewiseServer:
    """The running server."""

    def __init__(self, answers: Callable[[Asked], Sequence[Piece]]) -> None:
        self.answers = answers
        self.asked: list[Asked] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await _request(reader):
                self.asked.append(asked)
                for piece in self.answers(asked):
                    if piece is None:
                        return
                    if isinstance(piece, float):
                        await asyncio.sleep(piece)
                        continue
                    writer.write(piece)
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(first.split(" ")[1], json.loads(body), headers)


def chunked(
    pieces: Sequence[Piece], *, ends: bool = True, kind: str = "event-stream"
) -> list[Piece]:
    """A reply in chunks; without its end where it is broken off."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/{kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent: list[Piece] = [head.encode()]
    for piece in pieces:
        framed = b"%x\r\n%s\r\n" % (len(piece), piece) if isinstance(piece, bytes) else piece
        sent.extend([framed] if piece != b"" else [])
    return [*sent, b"0\r\n\r\n"] if ends else [*sent, None]


def whole(body: Any, status: int = 200) -> list[Piece]:
    """A reply at once, as JSON."""
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
    return [f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content]


def event(**parts: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(parts, ensure_ascii=False).encode() + b"\n\n"


def said(text: str | None = None, finish: str | None = None, **delta: Any) -> bytes:
    """An event with a part of the answer."""
    told = {**({"content": text} if text is not None else {}), **delta}
    return event(choices=[{"index": 0, "delta": told, "finish_reason": finish}])


DONE = b"data: [DONE]\n\n"


@asynccontextmanager
async def piecewise_server(
    answers: Callable[[Asked], Sequence[Piece]],
) -> AsyncIterator[PiecewiseServer]:
    """A server, stopped at the end."""
    running = PiecewiseServer(answers)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield running
    finally:
        server.close()
