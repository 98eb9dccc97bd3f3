"""Nine vendors on one real HTTP server: their paths, replies and errors, as they document them.

A prompt tells what goes wrong: `[[overloaded x1]]` fails the first request with the vendor's own
body for it. Every request is kept, with its headers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_TOLD = re.compile(r"\[\[(\w+)(?: x(\d+))?\]\]")

ANTHROPIC: dict[str, tuple[int, str, str]] = {
    "key": (401, "authentication_error", "invalid x-api-key"),
    "limit": (429, "rate_limit_error", "This request would exceed your rate limit"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "broken": (500, "api_error", "Internal server error"),
    "wrong": (400, "invalid_request_error", "max_tokens: Field required"),
    "unpaid": (402, "billing_error", "Your credit balance is too low"),
}
GEMINI: dict[str, tuple[int, str, str, str]] = {
    "key": (
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        "API_KEY_INVALID",
    ),
    "limit": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", "RATE_LIMIT_EXCEEDED"),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", ""),
    "broken": (500, "INTERNAL", "An internal error has occurred.", ""),
    "wrong": (400, "INVALID_ARGUMENT", "Unable to submit request", ""),
}
THINKING = ("ernie-x1", "ernie-5.0-thinking", "deepseek-", "thinking")
"""Parts of the names of models that answer with a thought."""
OPENAI_LIKE: dict[str, dict[str, tuple[int, dict[str, str]]]] = {
    "ernie": {
        "key": (401, {"code": "invalid_iam_token", "message": "IAM Certification failed"}),
        "limit": (429, {"code": "rpm_rate_limit_exceeded", "message": "Rate limit reached"}),
        "overloaded": (503, {"code": "server_overloaded", "message": "The server is busy"}),
        "unpaid": (403, {"code": "access_denied", "message": "account is in arrears"}),
        "refused": (400, {"code": "system_unsafe", "message": "the content is not safe"}),
    },
    "fastdeploy": {
        "limit": (429, {"message": "too many requests", "type": "rate_limit_error"}),
        "wrong": (400, {"message": "bad parameter", "type": "invalid_request_error"}),
    },
    "deepseek": {
        "key": (
            401,
            {
                "message": "Authentication Fails",
                "type": "authentication_error",
                "code": "invalid_request_error",
            },
        ),
        "limit": (429, {"message": "Rate limit reached", "type": "rate_limit_reached"}),
        "overloaded": (503, {"message": "The server is overloaded", "type": "service_unavailable"}),
        "unpaid": (402, {"message": "Insufficient Balance", "code": "invalid_request_error"}),
        "refused": (400, {"message": "Content Exists Risk", "code": "invalid_request_error"}),
    },
    "moonshot": {
        "key": (401, {"message": "Invalid Authentication", "type": "invalid_authentication_error"}),
        "limit": (429, {"message": "max RPM: 3", "type": "rate_limit_reached_error"}),
        "overloaded": (
            429,
            {"message": "The engine is currently overloaded", "type": "engine_overloaded_error"},
        ),
        "unpaid": (
            429,
            {
                "message": "please check your plan and billing details",
                "type": "exceeded_current_quota_error",
            },
        ),
        "refused": (
            400,
            {
                "message": "The request was rejected because it was considered high risk",
                "type": "content_filter",
            },
        ),
    },
    "dashscope": {
        "key": (
            401,
            {
                "message": "Incorrect API key provided.",
                "code": "invalid_api_key",
                "type": "invalid_request_error",
            },
        ),
        "limit": (
            429,
            {
                "message": "You exceeded your current requests list.",
                "code": "limit_requests",
                "type": "limit_requests",
            },
        ),
        "overloaded": (
            503,
            {
                "message": "Too many requests. Batch requests are being throttled",
                "code": "ServiceUnavailable",
                "type": "ServiceUnavailable",
            },
        ),
        "unpaid": (
            400,
            {
                "message": "Access denied, please make sure your account is in good standing.",
                "code": "Arrearage",
                "type": "Arrearage",
            },
        ),
        "refused": (
            400,
            {
                "message": "Input data may contain inappropriate content.",
                "code": "data_inspection_failed",
                "type": "data_inspection_failed",
            },
        ),
    },
    "zai": {
        "key": (401, {"code": "1002", "message": "Authorization Token非法"}),
        "limit": (429, {"code": "1302", "message": "您的账户已达到速率限制"}),
        "overloaded": (429, {"code": "1305", "message": "当前API请求过多，请稍后重试"}),
        "unpaid": (429, {"code": "1113", "message": "余额不足或无可用资源包,请充值。"}),
        "refused": (
            400,
            {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"},
        ),
    },
    "volcengine": {
        "key": (
            401,
            {
                "code": "AuthenticationError",
                "message": "the API key is invalid",
                "type": "Unauthorized",
            },
        ),
        "limit": (
            429,
            {
                "code": "ModelAccountRpmRateLimitExceeded",
                "message": "RPM limit",
                "type": "TooManyRequests",
            },
        ),
        "overloaded": (
            429,
            {
                "code": "ServerOverloaded",
                "message": "The service is overloaded",
                "type": "TooManyRequests",
            },
        ),
        "unpaid": (
            403,
            {"code": "AccountOverdueError", "message": "overdue balance", "type": "Forbidden"},
        ),
        "refused": (
            400,
            {
                "code": "SensitiveContentDetected",
                "message": "may contain sensitive",
                "type": "BadRequest",
            },
        ),
    },
}


@dataclass
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Vendors:
    """The running server."""

    pause: str = "0.05"
    """Seconds told with a 429."""
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    listed: Any = field(default_factory=lambda: {"object": "list", "data": [{"id": "m"}]})
    """What `/models` answers."""

    def base(self, vendor: str) -> str:
        """The address that a recipe gives for a vendor."""
        return f"{self.url}/{vendor}"

    def fault(self, vendor: str, prompt: str) -> str | None:
        """What the prompt says of this request."""
        before = self.counts[vendor, prompt]
        self.counts[vendor, prompt] += 1
        told = _TOLD.search(prompt)
        return told[1] if told and before < int(told[2] or 10**9) else None

    def told(self, status: int) -> dict[str, str]:
        """Headers of an error."""
        return {"Retry-After": self.pause} if status == 429 else {}

    async def keep(self, request: web.Request) -> dict[str, Any]:
        """Remember a request."""
        body: dict[str, Any] = await request.json()
        self.asked.append(Asked(request.path_qs, dict(request.headers), body))
        return body

    async def anthropic(self, request: web.Request) -> web.Response:
        """`/v1/messages`."""
        body = await self.keep(request)
        prompt = _text(body["messages"][-1]["content"])
        fault = self.fault("anthropic", prompt)
        if fault in ANTHROPIC:
            status, kind, message = ANTHROPIC[fault]
            error = {"type": "error", "error": {"type": kind, "message": message}}
            return web.json_response(error, status=status, headers=self.told(status))
        reply = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": f"about {prompt}"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 7},
        }
        if fault == "refused":
            reply |= {"content": [], "stop_reason": "refusal"}
        return web.json_response(reply)

    async def gemini(self, request: web.Request) -> web.Response:
        """`/models/{model}:generateContent`."""
        body = await self.keep(request)
        prompt = body["contents"][-1]["parts"][-1]["text"]
        fault = self.fault("gemini", prompt)
        if fault in GEMINI:
            status, kind, message, reason = GEMINI[fault]
            error: dict[str, Any] = {"code": status, "message": message, "status": kind}
            if reason:
                info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
                error["details"] = [info]
            return web.json_response({"error": error}, status=status)
        usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
        if fault == "refused":
            return web.json_response(
                {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
            )
        content = {"role": "model", "parts": [{"text": f"about {prompt}"}]}
        candidate: dict[str, Any] = {"content": content, "finishReason": "STOP", "index": 0}
        if fault == "stopped":
            candidate = {"finishReason": "SAFETY", "index": 0}
        return web.json_response({"candidates": [candidate], "usageMetadata": usage})

    async def openai_like(self, request: web.Request) -> web.Response:
        """`/chat/completions`."""
        vendor = request.match_info["vendor"]
        body = await self.keep(request)
        prompt = _text(body["messages"][-1]["content"])
        fault = self.fault(vendor, prompt)
        if fault in OPENAI_LIKE[vendor]:
            status, error = OPENAI_LIKE[vendor][fault]
            return web.json_response({"error": error}, status=status, headers=self.told(status))
        message = {"role": "assistant", "content": f"about {prompt}"}
        if "response_format" in body:
            message["content"] = json.dumps({"name": "as asked"})
        if any(part in body["model"].lower() for part in THINKING):
            message["reasoning_content"] = f"they ask for {prompt}"
        finish = "content_filter" if fault == "stopped" else "stop"
        reply = {
            "id": "as-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }
        return web.json_response(reply)

    async def complete(self, request: web.Request) -> web.Response:
        """`/completions`."""
        body = await self.keep(request)
        choice = {"index": 0, "text": f"{body['prompt']} and so on", "finish_reason": "stop"}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        reply = {"object": "text_completion", "model": body["model"], "choices": [choice]}
        return web.json_response(reply | {"usage": usage})

    async def models(self, request: web.Request) -> web.Response:
        """`/models`, for those who have the key."""
        if request.headers.get("Authorization") not in (None, "Bearer good-key"):
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        told = self.listed
        return told if isinstance(told, web.Response) else web.json_response(told)


@asynccontextmanager
async def vendors(pause: str = "0.05") -> AsyncIterator[Vendors]:
    """The server, in this process, on a free port."""
    server = Vendors(pause)
    app = web.Application()
    app.router.add_post("/anthropic/v1/messages", server.anthropic)
    app.router.add_post("/gemini/models/{call}", server.gemini)
    app.router.add_post("/{vendor}/chat/completions", server.openai_like)
    app.router.add_post("/{vendor}/completions", server.complete)
    app.router.add_get("/{vendor}/models", server.models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else str(content[-1]["text"])
