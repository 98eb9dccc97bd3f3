"""The one small adapter for OpenAI-compatible endpoints."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from sftrecipe.plugin import (
    Answer,
    CallFailed,
    Connecting,
    LimitsSeen,
    Request,
    Texts,
    TimedOut,
    Unreached,
    message,
)
from sftrecipe_registry.shared.http.connections import IDLE_SECONDS, Sending, watched_connections
from sftrecipe_registry.shared.http.event_stream import (
    LARGEST,
    Events,
    StreamedReply,
    is_stream,
    put_together,
)
from sftrecipe_registry.shared.http.failures import SHOWN, classified, failure_of, fault_of
from sftrecipe_registry.shared.http.protocol_turns import openai_turns
from sftrecipe_registry.shared.http.rate_headers import limits_in
from sftrecipe_registry.shared.http.replies import (
    chat_answer,
    completion_answer,
    embedding_answer,
    likelihood_answer,
)
from sftrecipe_registry.shared.http.reply_inflation import (
    ACCEPTED,
    inflated,
    mangled,
    not_an_object,
    unreadable,
)
from sftrecipe_registry.shared.http.reply_json import in_utf8, json_text, parse_json
from sftrecipe_registry.shared.http.responses_api import responses_body, responses_reply
from sftrecipe_registry.shared.http.steering import (
    Steering,
    chat_parameters,
    completion_parameters,
    unsent,
)

if TYPE_CHECKING:
    import aiohttp

texts = Texts(__package__)
LARGEST_FAILURE = 256 * 1024
"""Bytes of a failure's body that are looked at."""
LARGE = 2 * 1024 * 1024
"""Bytes above which a reply is read alone, or with one other."""


@dataclass(frozen=True)
class Endpoint:
    """Where an OpenAI-compatible server is, and how it differs from others."""

    base_url: str
    model: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Added to every body; the request's own sampling comes before it."""
    steering: Steering = field(default_factory=Steering)
    """What the recipe and the vendor say of the requests."""
    seeded: bool = False
    """Send a seed made from the request: the same request, the same draw."""


@asynccontextmanager
async def open_endpoint(
    endpoint: Endpoint, connecting: Connecting, adapter: type[OpenAIAdapter] | None = None
) -> AsyncIterator[OpenAIAdapter]:
    """An adapter with its own pool of connections."""
    import aiohttp  # noqa: PLC0415 - 170 ms, spent when a call is made at last

    connector = aiohttp.TCPConnector(
        limit=connecting.concurrency, ttl_dns_cache=300, keepalive_timeout=IDLE_SECONDS
    )
    limits = connecting.limits
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=limits.connect_timeout, sock_read=limits.first_byte_timeout
    )
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": ACCEPTED,
        **endpoint.headers,
    }
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trace_configs=[watched_connections()],
    ) as http:
        opened = (adapter or OpenAIAdapter)(endpoint, http)
        opened.tell = connecting.progress
        yield opened


class OpenAIAdapter:
    """Sends one request to an endpoint and reads the reply."""

    def __init__(self, endpoint: Endpoint, http: aiohttp.ClientSession) -> None:
        import asyncio  # noqa: PLC0415 - 60 ms, spent when a connection is opened at last

        self.endpoint = endpoint
        self._http = http
        self._base = endpoint.base_url.rstrip("/")
        self._proxy = _proxy_for(self._base)
        self._large = asyncio.Semaphore(2)
        """Few large replies are read at once: each of them is a good part of the memory."""
        self.limits_seen: LimitsSeen | None = None
        """What the server told of its limits with the reply before."""
        self.note = ""
        """What was put right in the reply before."""
        self.tell: Callable[[str], None] = _silent
        """Says one line to the user."""
        self._left_out: set[str] = set()
        """Parameters of which was told that they are not sent."""
        self._asks_usage = "stream_options" not in endpoint.steering.omit

    async def send(self, request: Request) -> Answer:
        """One attempt."""
        self.limits_seen, self.note = None, ""
        answer = await self._answer(request)
        # Nothing is waited for between reading a reply and this: the note is its own.
        return answer._replace(note=self.note) if self.note and not answer.note else answer

    async def _answer(self, request: Request) -> Answer:
        if request.kind == "chat":
            return await self.chat(request)
        if request.kind == "complete":
            return await self.complete(request)
        if request.kind == "embed":
            return await self.embed(request)
        return await self.loglikelihood(request)

    async def chat(self, request: Request) -> Answer:
        """`/chat/completions`."""
        if not request.messages:
            raise CallFailed("final", texts("no-messages"))
        steering = self.endpoint.steering.of(request.sampling)
        body = self._body(request, {"messages": openai_turns(request.messages)}, steering)
        if body.get("logprobs"):
            body["logprobs"] = True
            body.setdefault("top_logprobs", 1)  # llama.cpp sends twenty of them unasked
        if request.schema is not None:
            body["response_format"] = response_format(request.schema)
        if request.tools:
            body["tools"] = request.tools
        if steering.api == "responses":
            reply, raw = await self._asked("/responses", responses_body(body), steering)
            return chat_answer(responses_reply(reply), raw)
        reply, raw = await self._asked("/chat/completions", body, steering)
        return chat_answer(reply, raw)

    async def complete(self, request: Request) -> Answer:
        """`/completions`, the raw text."""
        steering = self.endpoint.steering.of(request.sampling)
        body = self._body(request, {"prompt": request.prompt}, steering)
        if body.get("logprobs") is True:
            body["logprobs"] = 1
        reply, raw = await self._asked("/completions", body, steering)
        return completion_answer(reply, raw)

    async def embed(self, request: Request) -> Answer:
        """`/embeddings`."""
        body = {"model": self.endpoint.model, "input": request.prompt}
        reply, _ = await self.post("/embeddings", body)
        return embedding_answer(reply)

    async def loglikelihood(self, request: Request) -> Answer:
        """Log-probabilities of a given answer: `/completions` with `echo`."""
        body = {
            "model": self.endpoint.model,
            "prompt": request.prompt + request.answer,
            "max_tokens": 0,
            "echo": True,
            "logprobs": 1,
            "temperature": 0,
        }
        reply, raw = await self.post("/completions", body)
        return likelihood_answer(reply, request.prompt, request.answer, raw)

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Send a body; the parsed reply and its text. Raises CallFailed, classified."""
        address, content = self._base + path, orjson.dumps(body)
        return await self._post(address, content, streamed=body.get("stream") is True, again=True)

    async def _asked(
        self, path: str, body: dict[str, Any], steering: Steering
    ) -> tuple[dict[str, Any], str]:
        """The reply to what a step asks, in the form in which the recipe wants it to come."""
        if steering.streams:
            body["stream"] = True
            if self._asks_usage and steering.api == "chat":
                body = {"stream_options": {"include_usage": True}, **body}
        try:
            return await self.post(path, body)
        except CallFailed as failure:
            refused = failure.status in (400, 422) and "stream_options" in failure.message
            if refused and "stream_options" in body:
                self._asks_usage = False  # the tokens are counted from the texts then
                del body["stream_options"]
                return await self._asked(path, body, steering)
            # Many expressions, compiled where a call fails alone.
            from sftrecipe_registry.shared.http.refused_parameters import blamed  # noqa: PLC0415

            raise blamed(failure, body, steering) from None

    async def _post(
        self, address: str, data: bytes, *, streamed: bool, again: bool
    ) -> tuple[dict[str, Any], str]:
        """Send; `again`: once more where the kept connection was closed."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        sending, status, streamed_reply = Sending(), None, None
        try:
            async with self._http.post(
                address,
                data=data,
                proxy=self._proxy,
                allow_redirects=False,  # the key and the prompt go to this host alone
                trace_request_ctx=sending,
            ) as response:
                status, headers = response.status, response.headers
                if streamed and 200 <= status < 300:
                    content, streamed_reply = await self._read_stream(response)
                else:
                    content = await self._read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.limits_seen = None
            if again and status is None and sending.was_stale(error):
                return await self._post(address, data, streamed=streamed, again=False)
            raise self._broken_off(error, status) from None
        self.limits_seen = limits_in(headers)
        if streamed_reply is not None:
            reply, self.note = streamed_reply
            self.check(reply)
            return reply, json_text(reply)
        if not 200 <= status < 300:
            raise failure_of(status, content, headers)
        return self._parsed(in_utf8(content, headers.get("Content-Type", "")))

    def check(self, reply: Mapping[str, Any]) -> None:
        """Raise CallFailed for a reply with status 200 that is an error all the same."""
        if fault := fault_of(reply):
            raise classified(200, fault)

    def _parsed(self, content: bytes) -> tuple[dict[str, Any], str]:
        parsed = parse_json(content)
        if parsed is None and (reply := put_together(content)) is not None:
            self.check(reply)
            self.note = texts("unasked-stream")
            return reply, json_text(reply)
        if parsed is None:
            shown = " ".join(content[:SHOWN].decode("utf-8", "replace").split())
            raise mangled(texts("not-json", shown=shown[:100]))
        if not isinstance(parsed.value, dict):
            raise not_an_object()
        self.check(parsed.value)
        self.note = parsed.note
        return parsed.value, content.decode("utf-8", "replace")

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body of a reply; of a failure, as much as is looked at."""
        length, encoded = response.content_length, "Content-Encoding" in response.headers
        if length is not None and length <= LARGEST_FAILURE and not encoded:
            return await response.read()
        good = 200 <= response.status < 300
        most = LARGEST if good else LARGEST_FAILURE
        content = bytearray()
        async with (
            contextlib.AsyncExitStack() as held,
            contextlib.aclosing(inflated(response)) as parts,
        ):
            async for part in parts:
                if len(content) <= LARGE < len(content) + len(part):
                    await held.enter_async_context(self._large)
                content += part
                if len(content) > most:
                    break
        if len(content) > most and good:
            raise unreadable(texts("reply-too-long", most=most))
        return bytes(content)

    async def _read_stream(
        self, response: aiohttp.ClientResponse
    ) -> tuple[bytes, tuple[dict[str, Any], str] | None]:
        """The reply that a body's events are, with a note; a body that is no stream as it is."""
        events, reply = Events(), StreamedReply()
        start = b""
        async with contextlib.aclosing(inflated(response)) as parts:
            async for part in parts:
                start = start or part.lstrip()
                if start and not is_stream(start):
                    return await self._rest(start, parts), None
                self._put(reply, events.feed(part))
                if events.done or reply.last is not None:
                    break
        self._put(reply, events.end())
        whole = reply.whole(done=events.done)
        return b"", (whole, events.note or reply.note)

    def _put(self, reply: StreamedReply, events: Iterator[dict[str, Any]]) -> None:
        for event in events:
            if event.get("error"):
                self.check(event)
            reply.add(event)

    async def _rest(self, start: bytes, parts: AsyncIterator[bytes]) -> bytes:
        content = bytearray(start)
        async for part in parts:
            content += part
            if len(content) > LARGEST:
                raise unreadable(texts("reply-too-long", most=LARGEST))
        return bytes(content)

    def _body(
        self, request: Request, what: Mapping[str, Any], steering: Steering
    ) -> dict[str, Any]:
        is_chat = request.kind == "chat"
        written = chat_parameters if is_chat else completion_parameters
        asked = written(request.sampling, steering)
        body = {"model": self.endpoint.model, **what, **self.endpoint.defaults, **asked}
        if self.endpoint.seeded and "seed" not in body and "seed" not in steering.omit:
            body["seed"] = seed_of(request)
        left_out = unsent(request.sampling, steering)
        if not is_chat and (steering.thinking or steering.effort):
            left_out.append("thinking")
        for name in left_out:
            if name not in self._left_out:
                self._left_out.add(name)
                why = "not-sent-raw" if name == "thinking" else "not-sent"
                self.tell(f"{self.endpoint.model}: {message(why, {'name': name})}")
        return body

    def _broken_off(self, error: BaseException, status: int | None) -> CallFailed:
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        host = urlsplit(self._base).netloc.rpartition("@")[2]
        # An error's own text may quote the address, and an address may hold a token.
        text = str(getattr(error, "message", "") or getattr(error, "strerror", "") or error)
        text = f"{host}: {type(error).__name__}: {text[:SHOWN]}"
        if isinstance(error, aiohttp.ClientConnectorError):
            return Unreached(text)
        if isinstance(error, aiohttp.SocketTimeoutError):
            return TimedOut(text)
        return CallFailed("retry", text, status=status)


def _silent(_: str) -> None:
    pass


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key; none for an empty one."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def seed_of(request: Request) -> int:
    """A 31-bit number that is the request's own."""
    content = orjson.dumps(
        [request.messages, request.prompt, dict(request.sampling), request.sample],
        option=orjson.OPT_SORT_KEYS,
    )
    return int.from_bytes(blake2b(content, digest_size=4).digest(), "big") >> 1


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as `response_format` takes it; `strict` where the schema allows it."""
    strict = schema.get("additionalProperties") is False
    reply = {"name": "reply", "schema": schema, "strict": strict}
    return {"type": "json_schema", "json_schema": reply}


def _proxy_for(url: str) -> str | None:
    """The proxy of the environment for a host (never for this machine's own)."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - 20 ms

    host = urlsplit(url).hostname or ""
    if host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(host):
        return None
    return getproxies().get(urlsplit(url).scheme)
