"""A real HTTP server whose every reply a test writes itself, down to its bytes."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """What is sent back; status 0: the connection is cut without a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


Answers = Callable[[str, int], Sent]
"""Given the last message and how often it was asked before."""


def told(text: str = "so it is", **choice: Any) -> Sent:
    """An ordinary reply, with further keys of its choice."""
    message = {"role": "assistant", "content": text}
    whole = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    return Sent(200, json.dumps({"choices": [whole], "usage": usage}).encode())


def fault(http: int, message: str, headers: Mapping[str, str] | None = None, **more: Any) -> Sent:
    """An error in OpenAI's form."""
    return Sent(http, json.dumps({"error": {"message": message, **more}}).encode(), headers or {})


class OddServer:
    """The running server: what it answers may be changed at any time."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        """What was sent, in order."""
        self.url = ""

    def answer(self, said: str) -> Sent:
        before = self.asked[said]
        self.asked[said] += 1
        return self.answers(said, before)


@contextmanager
def odd_server(answers: Answers) -> Iterator[OddServer]:
    """A server, stopped at the end."""
    odd = OddServer(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            odd.bodies.append(asked)
            said = asked["messages"][-1]["content"] if "messages" in asked else asked.get("prompt")
            sent = odd.answer(str(said or asked.get("input")))
            if not sent.status:
                self.close_connection = True
                return
            self.send_response(sent.status)
            for name, value in {"Content-Type": "application/json", **sent.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent.body)))
            self.end_headers()
            self.wfile.write(sent.body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that is killed is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    odd.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield odd
    finally:
        server.shutdown()
        server.server_close()
