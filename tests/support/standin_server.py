"""A real HTTP server in place of a vendor: `python standin_server.py --port 0 --delay 0.2`.

Prints its address once it listens. It speaks OpenAI's protocol (and Qianfan's under `/v2`, and the
older one), counts requests by prompt, and fails as it is told: by chance (`--faults 429=0.1`), or
where the prompt says so (`[[500 x2]]`: its first two requests fail). Replies are made from the
prompt alone, so that the same question has the same answer in every process; the model `judge`
answers with two scores.

`GET /count` tells what was asked; `POST /forget` begins to count anew; `POST /fail` makes all
requests fail from some moment on.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web
from standin_batches import Batches

_TOLD = re.compile(r"\[\[(\w+)(?: x(\d+))?\]\]")
_PARTS = (
    "ba be bi bo da de di do fa fe ga go ka ki lo lu ma me mi mo na ne no pa pe ra ri so ta ti vo"
)
ERRORS = {
    "400": (400, {"message": "bad request", "code": "invalid_argument"}),
    "401": (401, {"message": "Incorrect API key provided: {key}", "code": "invalid_api_key"}),
    "403": (403, {"message": "no access", "code": "forbidden"}),
    "404": (404, {"message": "no such model", "code": "model_not_found"}),
    "429": (429, {"message": "slow down", "code": "rate_limit_exceeded"}),
    "quota": (429, {"message": "no money", "code": "insufficient_quota"}),
    "500": (500, {"message": "oops", "code": "internal_error"}),
    "503": (503, {"message": "overloaded", "code": "service_unavailable"}),
    "refused": (400, {"message": "unsafe", "code": "content_filter"}),
    "unsafe": (403, {"message": "unsafe", "code": "system_unsafe"}),
}


class RateLimit:
    """So many requests in a period: all given back at its end, or bit by bit (`bucket`)."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.most = options.rate
        self.period = options.rate_period
        self.form = options.rate_form
        self.left = float(self.most)
        self.at = time.monotonic()

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether a request is let in, and the headers that tell what remains."""
        now = time.monotonic()
        if self.form == "bucket":
            self.left = min(self.most, self.left + (now - self.at) * self.most / self.period)
            self.at = now
        elif now - self.at >= self.period:
            self.left = float(self.most)
            self.at = now
        allowed = self.left >= 1
        self.left -= allowed
        reset = self.period - (now - self.at)
        if self.form == "bucket":
            reset = (self.most - self.left) * self.period / self.most
        told = {
            "x-ratelimit-limit-requests": str(self.most),
            "x-ratelimit-remaining-requests": str(int(self.left)),
            "x-ratelimit-reset-requests": f"{reset * 1000:.0f}ms",
        }
        if self.form == "garbage":
            told = dict.fromkeys(told, "\u221e soon " * 50)
        return allowed, told


class StandIn:
    """The server's state."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.faults = dict(_fault(text) for text in options.faults)
        self.rate = RateLimit(options) if options.rate else None
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.failing = "none", 0, 0.0
        self.failing_since: float | None = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.turned_away = 0
        self.times: list[float] = []
        self.tokens_given = 0

    def application(self) -> web.Application:
        """Its routes."""
        app = web.Application(client_max_size=1 << 28)
        for version in ("/v1", "/v2"):
            app.router.add_post(f"{version}/chat/completions", self.chat)
            app.router.add_post(f"{version}/completions", self.complete)
            app.router.add_post(f"{version}/embeddings", self.embed)
        Batches(self, ERRORS).add_to(app)
        app.router.add_post("/oauth/2.0/token", self.token)
        app.router.add_post("/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/{name}", self.chat_v1)
        app.router.add_get("/count", self.count)
        app.router.add_post("/forget", self.forget)
        app.router.add_post("/fail", self.fail)
        return app

    async def count(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": sum(self.asked.values()),
                "answered": sum(self.answered.values()),
                "prompts": len(self.asked),
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "turned_away": self.turned_away,
                "tokens_given": self.tokens_given,
                "times": self.times if "times" in request.query else [],
                "by_prompt": dict(self.asked) if "by_prompt" in request.query else {},
                "answered_by_prompt": dict(self.answered) if "by_prompt" in request.query else {},
            }
        )

    async def forget(self, request: web.Request) -> web.Response:
        self.asked.clear()
        self.answered.clear()
        self.turned_away = self.most_in_flight = 0
        self.times.clear()
        return web.json_response({})

    async def fail(self, request: web.Request) -> web.Response:
        """Fail every request with `fault`, once `after` were answered, for `seconds`."""
        told = request.query
        after, seconds = int(told.get("after", 0)), float(told.get("seconds", "inf"))
        self.failing = told["fault"], sum(self.answered.values()) + after, seconds
        self.failing_since = None
        return web.json_response({})

    def failing_now(self) -> str | None:
        """The fault of all requests at this moment."""
        fault, after, seconds = self.failing
        if sum(self.answered.values()) < after:
            return None
        self.failing_since = self.failing_since or time.monotonic()
        return fault if time.monotonic() < self.failing_since + seconds else None

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = "\n".join(str(turn.get("content")) for turn in body["messages"])
        message = {"role": "assistant", "content": self.reply(prompt, body)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        if body.get("logprobs"):
            choice["logprobs"] = {"content": [{"token": "x", "logprob": -0.5}]}
        return await self.serve(request, prompt, body, choice)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = body["prompt"]
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        if body.get("echo"):
            choice |= {"text": prompt, "logprobs": _echoed(prompt)}
        else:
            choice["text"] = self.reply(prompt, body)
        return await self.serve(request, prompt, body, choice)

    async def embed(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        text = "\n".join(body["input"]) if isinstance(body["input"], list) else body["input"]
        numbers = random.Random(_number(text))
        vector = [numbers.random() for _ in range(8)]
        data = {"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3}}
        return await self.serve(request, text, body, None, data)

    async def token(self, request: web.Request) -> web.Response:
        if request.query.get("client_secret") == "wrong-secret":
            wrong = {"error": "invalid_client", "error_description": "unknown client id"}
            return web.json_response(wrong, status=401)
        self.tokens_given += 1
        return web.json_response(
            {"access_token": f"token-{self.tokens_given}", "expires_in": 2592000}
        )

    async def chat_v1(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = "\n".join(str(turn.get("content")) for turn in body["messages"])
        told = _TOLD.search(prompt)
        if told and told[1].isdigit() and self.asked[prompt] < int(told[2] or 10**9):
            self.asked[prompt] += 1
            return web.json_response({"error_code": int(told[1]), "error_msg": "as told"})
        if request.query.get("access_token") != f"token-{self.tokens_given}":
            return web.json_response({"error_code": 110, "error_msg": "Access token invalid"})
        data = {"id": "as-1", "result": self.reply(prompt, body), "is_truncated": False}
        if told and told[1] == "unsafe":
            data |= {"need_clear_history": True, "ban_round": 0}
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        return await self.serve(request, prompt, body, None, {**data, "usage": usage})

    def reply(self, prompt: str, body: dict[str, Any]) -> str:
        """The answer to a prompt, the same in every process."""
        drawn = random.Random(_number(prompt, body.get("seed"), body.get("temperature")))
        if self.options.reply == "items":
            items = [_item(drawn) for _ in range(self.options.items)]
            return json.dumps(items)
        if self.options.reply == "split":
            return _split(prompt)
        if body.get("model") == "judge":
            return f"{drawn.randint(1, 10)} {drawn.randint(1, 10)}\n{_words(drawn, 5)}."
        if "response_format" in body:
            return json.dumps({"name": _words(drawn, 1)})
        return f"{_words(drawn, self.options.words)}."

    async def serve(
        self,
        request: web.Request,
        prompt: str,
        body: dict[str, Any],
        choice: dict[str, Any] | None,
        whole: dict[str, Any] | None = None,
    ) -> web.StreamResponse:
        """Count, wait, fail or answer."""
        asked_before = self.asked[prompt]
        self.asked[prompt] += 1
        self.times.append(time.monotonic())
        fault = self.fault(prompt, asked_before)
        if self.options.admit and self.in_flight >= self.options.admit:
            self.turned_away += 1
            fault = "429"
        told: dict[str, str] = {}
        if self.rate:
            allowed, told = self.rate.take()
            if not allowed:
                self.turned_away += 1
                fault = "429"
        if fault in ERRORS:
            return self.error(request, fault, told)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay(prompt, asked_before))
        finally:
            self.in_flight -= 1
        data = whole or {
            "id": "as-1",
            "object": "chat.completion",
            "model": body.get("model"),
            "choices": [choice],
            "usage": _usage(len(prompt) // 4 + 1, 20),
        }
        response = await self.mangled(request, fault, data) if fault else None
        if response is None:
            self.answered[prompt] += 1
            padding = " " * self.options.padding
            response = web.Response(
                text=json.dumps(data) + padding, content_type="application/json", headers=told
            )
        return response

    def fault(self, prompt: str, asked_before: int) -> str | None:
        """How this request fails, if it does."""
        if failing := self.failing_now():
            return failing
        told = _TOLD.search(prompt)
        if told:
            return told[1] if asked_before < int(told[2] or 10**9) else None
        drawn = random.Random(_number(prompt, asked_before, "fault")).random()
        for fault, share in self.faults.items():
            if drawn < share:
                return fault
            drawn -= share
        return None

    def delay(self, prompt: str, asked_before: int) -> float:
        """How long the answer takes: shuffled by `--jitter`, long-tailed by `--sigma`."""
        drawn = random.Random(_number(prompt, asked_before, "delay"))
        delay = self.options.delay
        if self.options.sigma:
            delay *= drawn.lognormvariate(0, self.options.sigma)
        return delay * (1 + self.options.jitter * drawn.uniform(-1, 1))

    def error(self, request: web.Request, fault: str, limits: dict[str, str]) -> web.Response:
        status, told = ERRORS[fault]
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        error = {**told, "message": told["message"].format(key=key)}
        headers = dict(limits)
        if status == 429 and self.options.retry_after is not None:
            headers["Retry-After"] = str(self.options.retry_after)
        return web.json_response({"error": error}, status=status, headers=headers)

    async def mangled(
        self, request: web.Request, fault: str, data: dict[str, Any]
    ) -> web.StreamResponse | None:
        """A reply that went wrong on its way."""
        text = json.dumps(data)
        if fault == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "half":
            response = web.StreamResponse(headers={"Content-Length": str(len(text))})
            await response.prepare(request)
            await response.write(text[: len(text) // 2].encode())
            assert request.transport is not None
            request.transport.close()
            return response
        if fault == "drip":  # slow loris
            response = web.StreamResponse(headers={"Content-Length": str(len(text))})
            await response.prepare(request)
            for letter in text:
                await response.write(letter.encode())
                await asyncio.sleep(0.5)
            return response
        if fault == "slow":
            await asyncio.sleep(60)
        elif fault == "garbage":
            return web.Response(body=b"\x00\xff{[" * 9, content_type="application/json")
        elif fault == "html":
            return web.Response(text="<html>gateway</html>", content_type="text/html")
        elif fault == "plain":
            return web.Response(text=text, content_type="text/plain")
        elif fault == "rate200":
            return web.json_response({"code": "rpm_rate_limit_exceeded", "msg": "slow down"})
        elif fault == "filtered":
            data["choices"][0]["finish_reason"] = "content_filter"
        elif fault == "aborted":
            data["choices"][0]["finish_reason"] = "abort"
        elif fault == "thinking":
            message = {"role": "assistant", "content": None, "reasoning_content": "hm"}
            data["choices"][0] |= {"message": message, "finish_reason": "length"}
            return web.json_response(data)
        elif fault == "flagged":
            data["choices"][0] |= {"flag": 1, "ban_round": 0, "need_clear_history": True}
            return web.json_response(data)
        elif fault == "huge":
            return web.Response(text=text + " " * 10_000_000, content_type="application/json")
        elif fault == "redirect":
            return web.Response(status=307, headers={"Location": "/v1/elsewhere"})
        return None


def _fault(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    return name, float(share)


def _number(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def _usage(asked: int, written: int) -> dict[str, int]:
    return {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
    }


def _words(drawn: random.Random, count: int) -> str:
    parts = _PARTS.split()
    words = ["".join(drawn.choices(parts, k=drawn.randint(2, 4))) for _ in range(count)]
    return " ".join(words).capitalize()


def _item(drawn: random.Random) -> dict[str, str]:
    question, answer = _words(drawn, 9), _words(drawn, 12)
    return {"instruction": f"{question}?", "input": "", "output": f"{answer}."}


def _split(prompt: str) -> str:
    """A question on the prompt's last context, and the context cut in the middle."""
    words = prompt.rpartition("Context: ")[2].removesuffix("\nQuestion:").split()
    one, two = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    return f"What of {words[0]} and {words[-1]}?\nContext 1: {one}\nContext 2: {two}"


def _echoed(prompt: str) -> dict[str, Any]:
    """Every word a token, with its place."""
    found = list(re.finditer(r"\s*\S+", prompt))
    return {
        "tokens": [match[0] for match in found],
        "text_offset": [match.start() for match in found],
        "token_logprobs": [None] + [-len(match[0]) / 10 for match in found[1:]],
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a reply takes")
    parser.add_argument("--jitter", type=float, default=0.0, help="share of the delay, either way")
    parser.add_argument("--sigma", type=float, default=0.0, help="of lognormal delays")
    parser.add_argument("--admit", type=int, default=0, help="requests in flight, else 429")
    parser.add_argument("--retry-after", type=float, help="seconds told with a 429")
    parser.add_argument("--rate", type=int, default=0, help="requests in a period, told in headers")
    parser.add_argument("--rate-period", type=float, default=60.0, help="its seconds")
    parser.add_argument("--rate-form", choices=["window", "bucket", "garbage"], default="window")
    parser.add_argument("--faults", nargs="*", default=[], help="429=0.1 500=0.05 reset=0.01 …")
    parser.add_argument("--batch-seconds", type=float, default=0.3, help="until a batch is done")
    parser.add_argument("--batch-fails", action="store_true", help="every batch fails as a whole")
    parser.add_argument("--batch-faults", nargs="*", default=[], help="create=500x2 look=reset …")
    parser.add_argument("--reply", choices=["text", "items", "split"], default="text")
    parser.add_argument("--items", type=int, default=5, help="items of a reply")
    parser.add_argument("--words", type=int, default=20, help="words of a reply")
    parser.add_argument("--padding", type=int, default=0, help="bytes to lengthen replies by")
    parser.add_argument("--port-file", type=Path, help="write the port here too")
    return parser.parse_args()


async def _listen(options: argparse.Namespace) -> None:
    runner = web.AppRunner(StandIn(options).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    if options.port_file:
        options.port_file.write_text(str(port))
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_listen(_options()))
