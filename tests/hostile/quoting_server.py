"""A server that quotes the key that it was sent, in the ways that servers and proxies do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

WAYS = {
    "whole": lambda key: f"wrong key {key}",
    "header": lambda key: f"wrong header Authorization: Bearer {key}",
    "cut": lambda key: f"wrong key {key[:24]}",
    "end": lambda key: f"wrong key …{key[-12:]}",
    "middle": lambda key: f"wrong key {key[9:30]}",
    "masked": lambda key: f"wrong key {key[:5]}****{key[-4:]}",
    "masked-long": lambda key: f"wrong key {key[:8]}{'*' * 30}{key[-4:]}.",
    "lines": lambda key: f"wrong key {key[:19]}\n{key[19:]}",
    "address": lambda key: f"https://example.org/?key={quote(key, safe='')}",
    "basic": lambda key: f"Basic {base64.b64encode(f':{key}'.encode()).decode()}",
    "bearer": lambda key: f"x {base64.b64encode(f'Bearer {key}'.encode()).decode()}",
    "at-the-cut": lambda key: "z" * 480 + key,
    "capitals": lambda key: f"wrong key {key.upper()}",
    "groups": lambda key: " ".join(key[at : at + 4] for at in range(0, len(key), 4)),
    "finish": lambda key: "half an answer",  # and the key where the reason of its end belongs
    "json": lambda key: json.dumps({"authorization": f"Bearer {key}"}),
}


_CONTROL = "\x1b[31mred\x07\x9b2J\u202e over 中文，\u3000全角 👩\u200d👧"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Authorization"].removeprefix("Bearer ")
        said = asked["messages"][-1]["content"]
        status, _, way = said.partition(" ") if said[0].isdigit() else ("400", "", "whole")
        text = (
            WAYS[way](key)
            if way in WAYS
            else "\x1b[31mred\x07\x9b2J\u202e over 中文，\u3000全角 👩‍👩‍👧"
        )
        if status == "200":
            finish = f"ended by {key}" if way == "finish" else "stop"
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
            body = json.dumps({"choices": [{"index": 0, **choice}], "usage": {}})
        elif status == "422":
            body = text
        else:
            body = json.dumps({"error": {"message": text, "type": "invalid_request_error"}})
        content = body.encode()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def quoting_server() -> Iterator[str]:
    """The server's address, up to and with `/v1`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
