"""A small real server in place of vLLM: `python fake_server.py … --port N …`.

It has a worker process, as vLLM has, and fails as the variable FAKE_SERVER says: `dies` at the
start, `never` answers, is `stubborn` about SIGTERM. Asked `[[die]]`, it is killed and leaves its
worker.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODE = os.environ.get("VLLM_FAKE_SERVER", "")


class Handler(BaseHTTPRequestHandler):
    """Health, the list of models, and one answer."""

    def do_GET(self) -> None:
        if self.path == "/v1/models" and not self.allowed():
            self.reply(401, {"error": "no key"})
        else:
            self.reply(200, {"data": [{"id": argument("--served-model-name")}]})

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.allowed():
            self.reply(401, {"error": "no key"})
        elif "[[die]]" in asked:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            message = {"role": "assistant", "content": "an answer"}
            self.reply(200, {"choices": [{"message": message, "finish_reason": "stop"}]})

    def allowed(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {os.environ['VLLM_API_KEY']}"

    def reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


def argument(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def load() -> None:
    sys.stdout.write("INFO 11-21 08:16:49 [core.py:12] Loading weights\n")
    sys.stdout.flush()
    if MODE == "dies":
        raise ValueError("the card is too small")


def main() -> None:
    if MODE == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    load()
    if MODE == "never":
        time.sleep(600)
    ThreadingHTTPServer(("127.0.0.1", int(argument("--port"))), Handler).serve_forever()


if __name__ == "__main__":
    main()
