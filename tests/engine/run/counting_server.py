"""A model's server that counts what it writes, and tells of it what it likes."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGES: dict[str, Any] = {
    "left out": ...,
    "null": None,
    "zero": {"prompt_tokens": 0, "completion_tokens": 0},
    "negative": {"prompt_tokens": -50, "completion_tokens": -1_000_000},
    "absurd": {"prompt_tokens": 10**15, "completion_tokens": 2**63 - 1},
    "beyond 64 bit": {"prompt_tokens": 10**30, "completion_tokens": 10**30},
    "empty": {},
    "fractions": {"prompt_tokens": 0.5, "completion_tokens": 1.5},
    "null counts": {"prompt_tokens": None, "completion_tokens": None},
}
"""What servers tell in place of the tokens."""


@dataclass
class Habits:
    """How a server behaves."""

    lengths: tuple[int, ...] = (20,)
    """Output tokens of replies, drawn from these."""
    usage: str = "told"
    """`told`, one of USAGES, or `sometimes`."""
    obeys: bool = True
    """Whether it keeps to `max_tokens`."""
    faults: float = 0.0
    """Share of requests that it turns away (500)."""
    cut_off: float = 0.0
    """Share of replies that it writes, but cuts off on their way."""
    hidden: int = 0
    """Tokens of a prompt that it adds of its own."""
    delay: float = 0.02
    seed: int = 0


@dataclass
class Counted:
    """What it was asked, and what it wrote."""

    requests: int = 0
    lost: int = 0
    """Replies that were cut off and may not count: longer than allowed, which nobody can know."""
    read: int = 0
    written: int = 0
    largest_read: int = 0
    largest_written: int = 0
    by_prompt: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    most_in_flight: int = 0


class CountingServer:
    """The running server."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.counted = Counted()
        self.url = ""
        self._lock = threading.Lock()
        self._drawn = random.Random(habits.seed)

    def answer(self, asked: Mapping[str, Any]) -> tuple[int, bytes, bool]:
        """Status and body of a reply, and whether it arrives."""
        habits, counted = self.habits, self.counted
        prompt = json.dumps(asked.get("messages") or asked.get("prompt"), ensure_ascii=False)
        with self._lock:
            counted.requests += 1
            counted.by_prompt[prompt + str(asked.get("seed"))] += 1
            counted.in_flight += 1
            counted.most_in_flight = max(counted.in_flight, counted.most_in_flight)
            fails = self._drawn.random() < habits.faults
            arrives = self._drawn.random() >= habits.cut_off
            written = self._drawn.choice(habits.lengths)
            told = habits.usage
            if told == "sometimes":
                told = self._drawn.choice(["told", *USAGES])
        if (most := asked.get("max_tokens")) and habits.obeys:
            written = min(written, most)
        time.sleep(habits.delay)
        with self._lock:
            counted.in_flight -= 1
            if fails:
                return 500, b'{"error": {"message": "oops"}}', True
            read = len(prompt) // 4 + 1 + habits.hidden
            if not arrives and most and not habits.obeys:
                counted.lost += 1
                return 200, _body(read, written, told, cut=False), False
            counted.read += read
            counted.written += written
            counted.largest_read = max(counted.largest_read, read)
            counted.largest_written = max(counted.largest_written, written)
        return 200, _body(read, written, told, cut=written == most), arrives


def _body(read: int, written: int, told: str, *, cut: bool) -> bytes:
    """A reply whose text shows all tokens where they are not told, else a part of them."""
    shown = min(written, 40) if told == "told" else written
    message = {"role": "assistant", "content": "word " * shown}
    choice = {"index": 0, "message": message, "finish_reason": "length" if cut else "stop"}
    body: dict[str, Any] = {"id": "x", "object": "chat.completion", "choices": [choice]}
    usage = {"prompt_tokens": read, "completion_tokens": written}
    usage = usage if told == "told" else USAGES[told]
    if usage is not ...:
        body["usage"] = usage
    return json.dumps(body).encode()


@contextmanager
def counting_server(habits: Habits) -> Iterator[CountingServer]:
    """A server on a port of its own."""
    serving = CountingServer(habits)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body, arrives = serving.answer(asked)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if arrives else body[: len(body) // 2])
                if not arrives:
                    self.close_connection = True
            except OSError:
                pass  # who asked is gone: it was written all the same

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        serving.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield serving
        finally:
            server.shutdown()
