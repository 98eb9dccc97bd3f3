"""A server of two models, `one` and `two`, and of a judge with a bias, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Judging = Callable[[str, str, str], str]
"""What the judge says of a question and the answers in the order in which they are shown."""
_ANSWER = "=== Answer {} ===\n"


def shown(asked: str) -> tuple[str, str, str]:
    """The question and the two answers of a judge's prompt."""
    head, _, rest = asked.partition(_ANSWER.format(1))
    first, _, second = rest.partition(_ANSWER.format(2))
    return head, first.strip(), second.partition("\n\n")[0].strip()


@contextmanager
def judging_server(judging: Judging) -> Iterator[str]:
    """Its address, while it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model, said = asked["model"], asked["messages"][-1]["content"]
            text = judging(*shown(said)) if model == "judge" else answer(model, said)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
            body = json.dumps({"id": "x", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def answer(model: str, question: str) -> str:
    """A long one of `one`, a short one of `two`; equal ones to what ends in 7."""
    if question.endswith("7?"):
        return "the same"
    return f"a long and careful answer to: {question}" if model == "one" else "a short one"
