"""Qianfan's older interface: an access token for a key pair, errors under status 200."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from sftrecipe import CallFailed
from sftrecipe.kinds import Answer, Connecting, Request
from sftrecipe.plugin.provider import Outcome
from sftrecipe_registry.shared.openai_http import Endpoint, OpenAIAdapter, open_endpoint

if TYPE_CHECKING:
    import aiohttp

_CHAT = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
_NAMES = {
    "ernie-4.0-8k": "completions_pro",
    "ernie-3.5-8k": "completions",
    "ernie-speed-8k": "ernie_speed",
}
"""Models whose path is not their name."""

_WAIT = {18, 336100, 336501, 336502}
"""Queries a second, load, requests and tokens a minute."""
_EXPIRED = {110, 111}
_RETRY = {2, 15} | _EXPIRED
_RENEW_BEFORE = 3600.0


class KeyPair(NamedTuple):
    """An API key and its secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "KeyPair(***)"


class QianfanV1(OpenAIAdapter):
    """Sends chats; the access token is fetched once and renewed before it expires."""

    def __init__(self, endpoint: Endpoint, http: aiohttp.ClientSession) -> None:
        super().__init__(endpoint, http)
        self.pair = KeyPair("", "")
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def chat(self, request: Request) -> Answer:
        """One turn."""
        body = chat_body(request, self.endpoint.model)
        name = _NAMES.get(self.endpoint.model.lower(), self.endpoint.model.lower())
        token = await self._access_token()
        try:
            reply, raw = await self.post(f"{_CHAT}{name}?access_token={token}", body)
        except CallFailed as failure:
            failure.message = failure.message.replace(token, "***")
            failure.args = (failure.message,)
            raise
        usage = reply.get("usage") or {}
        if reply.get("need_clear_history"):
            ban = f"the content was refused (ban_round {reply.get('ban_round')})"
            raise CallFailed("refused", ban, status=200)
        return Answer(
            str(reply.get("result") or ""),
            "length" if reply.get("is_truncated") else str(reply.get("finish_reason") or "stop"),
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
            raw=raw,
        )

    def check(self, reply: Mapping[str, Any]) -> None:
        """Errors come with status 200."""
        if "error_code" in reply:
            code = int(reply["error_code"])
            if code in _EXPIRED:
                self._renew_at = 0.0
            text = f"error {code}: {reply.get('error_msg')}"
            raise CallFailed(outcome_of(code), text, status=200)
        if "error" in reply:
            text = f"{reply['error']}: {reply.get('error_description')}"
            raise CallFailed("final", text, status=401)

    async def _access_token(self) -> str:
        async with self._renewing:
            if time.monotonic() >= self._renew_at:
                asked = {
                    "grant_type": "client_credentials",
                    "client_id": self.pair.key,
                    "client_secret": self.pair.secret,
                }
                try:
                    reply, _ = await self.post(f"/oauth/2.0/token?{urlencode(asked)}", {})
                except CallFailed as failure:
                    if failure.status in (400, 401):
                        raise CallFailed("final", failure.message, status=401) from None
                    raise
                self._token = str(reply["access_token"])
                lasts = float(reply.get("expires_in") or 0)
                self._renew_at = time.monotonic() + max(60.0, lasts - _RENEW_BEFORE)
            return self._token


@asynccontextmanager
async def open_v1(
    endpoint: Endpoint, connecting: Connecting, pair: KeyPair
) -> AsyncIterator[QianfanV1]:
    """An adapter with its own pool of connections."""
    async with open_endpoint(endpoint, connecting, QianfanV1) as adapter:
        assert isinstance(adapter, QianfanV1)  # noqa: S101 - opened as one
        adapter.pair = pair
        yield adapter


def chat_body(request: Request, model: str) -> dict[str, Any]:
    """The request in v1's form. Raises CallFailed where v1 would refuse its turns."""
    system = "\n\n".join(
        str(turn["content"]) for turn in request.messages if turn["role"] == "system"
    )
    turns = [turn for turn in request.messages if turn["role"] != "system"]
    expected = ["user" if index % 2 == 0 else "assistant" for index in range(len(turns))]
    if len(turns) % 2 == 0 or [turn["role"] for turn in turns] != expected:
        raise CallFailed(
            "final", f"{model}: turns must alternate between user and assistant and end with user"
        )
    body: dict[str, Any] = {"messages": turns}
    if system:
        body["system"] = system
    for name, value in request.sampling.items():
        if name == "temperature":
            body[name] = min(max(float(value), 0.01), 1.0)
        else:
            body[{"max_tokens": "max_output_tokens"}.get(name, name)] = value
    return body


def outcome_of(code: int) -> Outcome:
    """What an error code means for the call."""
    if code in _WAIT:
        return "wait"
    return "retry" if code in _RETRY else "final"
