"""Qianfan's older interface: an access token for a key pair, errors under status 200.

Baidu has switched it off (the day stands in the file of vendors). It is kept for those who run a
gateway that still speaks it.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from sftrecipe.plugin import (
    Answer,
    CallFailed,
    Connecting,
    OptionProblem,
    Outcome,
    Request,
    Text,
    Texts,
    Unreached,
    vendor_named,
)
from sftrecipe_registry.shared.http.endpoint import Endpoint, OpenAIAdapter, open_endpoint
from sftrecipe_registry.shared.http.failures import Fault, classified
from sftrecipe_registry.shared.http.replies import answer_in
from sftrecipe_registry.shared.http.reply_inflation import mangled
from sftrecipe_registry.shared.http.reply_json import count_in, plain_text

if TYPE_CHECKING:
    import aiohttp

texts = Texts(__package__)
_HOST = "aip.baidubce.com"
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
_RETRY = {1, 2, 15, 336000} | _EXPIRED
_UNUSABLE = {3, 4, 6, 13, 14, 17, 19, 100}
"""No such interface, no right to it, a day's or the whole quota used up, a wrong token."""
_LONGEST_CODE = 9
_OFF = re.compile(
    r"offline|no longer|discontinued|deprecated|shut ?down|下线|停止服务|停用|已关闭", re.IGNORECASE
)
"""Messages of an interface that is there no more."""
_GONE = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 410})
_TURNED_AWAY = 400
"""The status of what came with 200 and is an error: nothing was written, nothing is billed."""
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
        import asyncio  # noqa: PLC0415 - as the endpoint itself

        super().__init__(endpoint, http)
        self.pair = KeyPair("", "")
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def chat(self, request: Request) -> Answer:
        """One turn."""
        try:
            return await self._chat(request)
        except CallFailed as failure:
            if _OFF.search(failure.message) and failure.outcome == "final":
                failure.blame = "provider"
            if _is_refused(failure):
                off, advice = _switched_off(), _way_out()
                failure.message = texts(
                    "refused-since-off", failure=failure.message, off=off, advice=advice
                )
            raise

    async def _chat(self, request: Request) -> Answer:
        body = chat_body(request, self.endpoint.model)
        name = _NAMES.get(self.endpoint.model.lower(), self.endpoint.model.lower())
        token = await self._access_token()
        try:
            reply, raw = await self.post(f"{_CHAT}{name}?access_token={token}", body)
        except CallFailed as failure:
            if token in failure.message:
                failure.message = failure.message.replace(token, "***")
            raise
        if reply.get("need_clear_history"):
            ban = texts("content-banned", round=plain_text(reply.get("ban_round")))
            raise CallFailed("refused", ban, status=200)
        whole = reply.get("is_truncated") in (None, False, "")
        ended = reply.get("finish_reason") if whole else "length"
        text = reply.get("result")
        written = text if isinstance(text, str) else ""
        return answer_in(reply, {"finish_reason": ended}, written, raw)

    def check(self, reply: Mapping[str, Any]) -> None:
        """Errors come with status 200."""
        if reply.get("error_code") not in (None, "", 0, "0"):
            told = plain_text(reply["error_code"])
            code = int(told) if told.isdecimal() and len(told) < _LONGEST_CODE else 0
            if code in _EXPIRED:
                self._renew_at = 0.0
            text = texts("error", code=told, said=plain_text(reply.get("error_msg")))
            if outcome := outcome_of(code):
                raise CallFailed(outcome, text, status=_TURNED_AWAY)
            if code in _UNUSABLE:
                raise CallFailed("final", text, status=_TURNED_AWAY, blame="provider")
            failure = classified(_TURNED_AWAY, Fault(told, plain_text(reply.get("error_msg"))))
            failure.message = text
            raise failure
        if "error" in reply:
            said = f"{plain_text(reply['error'])}: {plain_text(reply.get('error_description'))}"
            raise CallFailed("final", said, status=401, blame="provider")

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
                        raise CallFailed(
                            "final", failure.message, status=401, blame="provider"
                        ) from None
                    raise
                self._token = plain_text(reply.get("access_token") or "")
                if not self._token:
                    raise mangled(texts("no-access-token"))
                lasts = count_in(reply, "expires_in")
                self._renew_at = time.monotonic() + max(60.0, lasts - _RENEW_BEFORE)
            return self._token


def v1_problem(path: tuple[str, ...]) -> OptionProblem:
    """The warning of a recipe that asks the interface."""
    return OptionProblem(path, _switched_off(), _way_out(), at_key=True, severity="warning")


def _switched_off() -> Text:
    vendor = vendor_named("ernie")
    day = vendor.interfaces[_HOST] if vendor else ""
    return texts("switched-off", day=day)


def _way_out() -> Text:
    vendor = vendor_named("ernie")
    model = next(iter(vendor.models)) if vendor else ""
    return texts("write-v2", key='"${env:QIANFAN_API_KEY}"', model=model)


def _is_refused(failure: CallFailed) -> bool:
    """Whether the interface itself turns calls away, and not one row's or a moment's."""
    status = failure.status or 0
    gone = isinstance(failure, Unreached) or status in _GONE or status >= 500
    return gone or failure.blame == "provider" or bool(_OFF.search(failure.message))


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
        raise CallFailed("final", texts("turns-alternate", model=model))
    body: dict[str, Any] = {"messages": turns}
    if system:
        body["system"] = system
    for name, value in request.sampling.items():
        if name == "temperature":
            body[name] = min(max(float(value), 0.01), 1.0)
        else:
            body[{"max_tokens": "max_output_tokens"}.get(name, name)] = value
    return body


def outcome_of(code: int) -> Outcome | None:
    """What an error code that may pass means for the call."""
    if code in _WAIT:
        return "wait"
    return "retry" if code in _RETRY else None
