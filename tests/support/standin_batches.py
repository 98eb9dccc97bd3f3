"""The stand-in server's files and batches: OpenAI's Batch API, which fails as it is told.

`--batch-faults create=500x2` makes the first two requests of a kind (upload, create, look, list,
content) fail; beside statuses there are `reset` and `garbled` (done, but the reply is lost), `half`
(cut in the middle) and `late` (done two seconds later, whether anybody still waits or not). A
prompt's own mark (`[[400]]`, `[[429 x1]]`, `[[expired x1]]`) makes its line an error.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from standin_server import StandIn

_FAULT = re.compile(r"(\w+)=(\w+?)(?:x(\d+))?$")
_MOST = 50_000
LATE = 2.0


class Batches:
    """Files and batches by id."""

    def __init__(self, server: StandIn, errors: dict[str, Any]) -> None:
        self.server = server
        self.options = options = server.options
        self.errors = errors
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.begun: Counter[str] = Counter()
        self.batched: Counter[str] = Counter()
        self.faults = {}
        for text in options.batch_faults:
            match = _FAULT.match(text)
            assert match, text
            self.faults[match[1]] = (match[2], int(match[3] or 10**9))

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create)
        app.router.add_get("/v1/batches", self.list)
        app.router.add_get("/v1/batches/{id}", self.look)
        app.router.add_get("/batches", self.told)

    async def told(self, _: web.Request) -> web.Response:
        """What happened, for tests."""
        return web.json_response(
            {
                "begun": self.begun,
                "batches": [len(batch["lines"]) for batch in self.batches.values()],
                "endpoints": [batch["endpoint"] for batch in self.batches.values()],
                "batched": sum(self.batched.values()),
                "most_batched": max(self.batched.values(), default=0),
                "metadata": [batch["metadata"] for batch in self.batches.values()],
            }
        )

    async def upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        assert form["purpose"] == "batch"
        content = form["file"].file.read()
        return await self._answer(request, "upload", lambda: self._stored(content))

    async def create(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        return await self._answer(request, "create", lambda: self._created(asked))

    async def look(self, request: web.Request) -> web.StreamResponse:
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return self._error("404")
        key = request.headers.get("Authorization")
        self.errors["echo"] = (500, {"message": f"failed for {key}", "code": "internal_error"})
        return await self._answer(request, "look", lambda: self._shown(batch))

    async def list(self, request: web.Request) -> web.StreamResponse:
        newest = list(reversed(self.batches.values()))
        after = request.query.get("after")
        start = 1 + [batch["id"] for batch in newest].index(after) if after else 0
        end = start + int(request.query.get("limit", 20))
        page = {
            "object": "list",
            "data": [self._shown(batch) for batch in newest[start:end]],
            "has_more": end < len(newest),
        }
        return await self._answer(request, "list", lambda: page)

    async def content(self, request: web.Request) -> web.StreamResponse:
        self.begun["content"] += 1
        fault = self._fault("content")
        found = self.files.get(request.match_info["id"])
        if found is None:
            return self._error("404")
        if fault in ("half", "late"):
            response = web.StreamResponse(headers={"Content-Length": str(len(found))})
            await response.prepare(request)
            await response.write(found[: len(found) // 2])
            await asyncio.sleep(LATE if fault == "late" else 0)
            if fault == "half":
                request.transport.close()
            else:
                await response.write(found[len(found) // 2 :])
            return response
        if fault:
            return self._error(fault)
        return web.Response(body=found, content_type="application/octet-stream")

    async def _answer(self, request: web.Request, kind: str, do: Any) -> web.StreamResponse:
        self.begun[kind] += 1
        fault = self._fault(kind)
        if fault == "late":
            await asyncio.sleep(LATE)
        elif fault == "garbled":
            do()
            return web.Response(text="<html>gateway</html>")
        elif fault == "reset":
            do()
            request.transport.abort()
            return web.Response()
        elif fault:
            return self._error(fault)
        return web.json_response(do())

    def _fault(self, kind: str) -> str | None:
        fault, times = self.faults.get(kind, (None, 0))
        return fault if self.begun[kind] <= times else None

    def _error(self, fault: str) -> web.Response:
        status, error = self.errors[fault]
        return web.json_response({"error": error}, status=status)

    def _stored(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "purpose": "batch"}

    def _created(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        batch = {
            "id": f"batch_{len(self.batches)}",
            "endpoint": asked["endpoint"],
            "metadata": asked["metadata"],
            "lines": lines,
            "made": time.monotonic(),
            "errors": self._invalid(asked["endpoint"], lines),
            "files": {},
        }
        self.batches[batch["id"]] = batch
        if not batch["errors"] and not self.options.batch_fails:
            self.batched.update(line["custom_id"] for line in lines)
        return self._shown(batch)

    def _invalid(self, endpoint: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = Counter(line["custom_id"] for line in lines)
        if self.options.batch_fails:
            return [{"code": "invalid_json_line", "message": "as told", "line": 1}]
        if len(lines) > _MOST:
            return [{"code": "too_many_requests", "message": "too many"}]
        if max(ids.values()) > 1:
            return [{"code": "duplicate_custom_id", "message": "twice", "line": 2}]
        if any(line["url"] != endpoint or line["method"] != "POST" for line in lines):
            return [{"code": "mismatched_endpoint", "message": "mixed"}]
        if len({line["body"]["model"] for line in lines}) > 1:
            return [{"code": "mismatched_model", "message": "mixed"}]
        return []

    def _shown(self, batch: dict[str, Any]) -> dict[str, Any]:
        age = time.monotonic() - batch["made"]
        total = len(batch["lines"])
        status, done = "finalizing", total
        if age < 0.1:
            status, done = "validating", 0
        elif batch["errors"]:
            status, done = "failed", 0
        elif age < self.options.batch_seconds:
            status, done = "in_progress", int(total * age / self.options.batch_seconds)
        elif age > self.options.batch_seconds + 0.2:
            if not batch["files"]:
                batch["files"] = self._finished(batch)
            status = batch["end"]
        return {
            "id": batch["id"],
            "object": "batch",
            "endpoint": batch["endpoint"],
            "metadata": batch["metadata"],
            "status": status,
            "errors": {"object": "list", "data": batch["errors"]} if batch["errors"] else None,
            "request_counts": {"total": total, "completed": done, "failed": 0},
            "output_file_id": batch["files"].get("output"),
            "error_file_id": batch["files"].get("error"),
        }

    def _finished(self, batch: dict[str, Any]) -> dict[str, str]:
        files: dict[str, list[str]] = {"output": [], "error": []}
        batch["end"] = "completed"
        for line in reversed(batch["lines"]):  # in no order that one may rely on
            kind, result = self._result(batch["endpoint"], line["body"])
            if kind in ("expired", "cancelled"):
                batch["end"] = kind
            told = {"id": "batch_req_1", "custom_id": line["custom_id"], **result}
            files["output" if kind == "output" else "error"].append(json.dumps(told))
        return {
            kind: self._stored("\n".join([*lines, ""]).encode())["id"]
            for kind, lines in files.items()
            if lines
        }

    def _result(self, endpoint: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        prompt, reply = self._reply(endpoint, body)
        asked_before = self.server.asked[prompt]
        self.server.asked[prompt] += 1
        fault = self.server.fault(prompt, asked_before)
        if fault in ("expired", "cancelled"):
            error = {"code": f"batch_{fault}", "message": "not reached"}
            return fault, {"response": None, "error": error}
        status = 200
        if fault == "garbage":
            reply = {"object": "chat.completion", "choices": []}
        elif fault:
            status, error = self.errors[fault]
            reply = {"error": error}
        response = {"status_code": status, "request_id": "r", "body": reply}
        return "output" if status == 200 else "error", {"response": response, "error": None}

    def _reply(self, endpoint: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The prompt, and what the path itself would answer."""
        if endpoint == "/v1/embeddings":
            numbers = random.Random(body["input"])
            vector = [numbers.random() for _ in range(8)]
            return body["input"], {"data": [{"embedding": vector}], "usage": {"prompt_tokens": 3}}
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        if endpoint == "/v1/completions":
            prompt = body["prompt"]
            choice["text"] = self.server.reply(prompt, body)
        else:
            prompt = "\n".join(str(turn.get("content")) for turn in body["messages"])
            choice["message"] = {"role": "assistant", "content": self.server.reply(prompt, body)}
        usage = {"prompt_tokens": len(prompt) // 4 + 1, "completion_tokens": 20}
        return prompt, {"model": body["model"], "choices": [choice], "usage": usage}
