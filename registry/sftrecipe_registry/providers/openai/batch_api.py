"""OpenAI's files and batches over HTTP: https://platform.openai.com/docs/api-reference/batch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from sftrecipe.plugin import CallFailed, Connecting, MachineCheck, Texts
from sftrecipe_registry.shared.http.endpoint import (
    Endpoint,
    OpenAIAdapter,
    open_endpoint,
)
from sftrecipe_registry.shared.http.event_stream import LARGEST
from sftrecipe_registry.shared.http.failures import failure_of
from sftrecipe_registry.shared.http.reply_inflation import inflated, mangled, unreadable
from sftrecipe_registry.shared.http.reply_json import count_in, mapping_in, parse_json, plain_text

if TYPE_CHECKING:
    import aiohttp

texts = Texts(__package__)
TOKEN = "sftrecipe"  # noqa: S105 - the name of an entry
"""Entry of a batch's metadata by which it is found again."""
ENDED = ("completed", "expired", "cancelled", "failed")
_ATTEMPTS = 8
_LONGEST_PAUSE = 60.0
_SILENCE = 600.0
"""Seconds without a byte of the reply after which a request is given up."""
_PAGE = 100
_PAGES = 50
"""Pages of the list of batches, newest first, that are looked through for one."""

Result = TypeVar("Result")


class Batch(NamedTuple):
    """A batch as the server shows it."""

    id: str
    status: str
    """validating, in_progress, finalizing, cancelling, or one of `ENDED`."""
    completed: int = 0
    failed: int = 0
    total: int = 0
    files: tuple[str, ...] = ()
    """Its output and its errors, once they are there."""
    errors: tuple[str, ...] = ()
    """Why it failed as a whole."""


class BatchApi(OpenAIAdapter):
    """The requests that batches take. Each raises CallFailed, classified."""

    @property
    def http(self) -> aiohttp.ClientSession:
        """Its connections."""
        return self._http

    async def upload(self, lines: IO[bytes]) -> str:
        """Upload a file of requests; its name. Costs nothing."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        async def attempt() -> Mapping[str, Any]:
            lines.seek(0)
            # What is sent is closed afterwards, and may have to be sent once more.
            with os.fdopen(os.dup(lines.fileno()), "rb") as copy:
                form = aiohttp.FormData({"purpose": "batch"})
                form.add_field("file", copy, filename="batch.jsonl")
                parts = form()
                kind = {"Content-Type": parts.headers["Content-Type"]}
                return await self._json("POST", "/files", data=parts, headers=kind)

        try:
            return _text(await patiently(attempt), "id")
        except CallFailed as failure:
            if failure.status not in (404, 405):
                raise
            text = texts("no-batches", failure=failure.message)
            raise CallFailed("final", text, status=failure.status) from None

    async def create(self, file: str, path: str, token: str) -> Batch:
        """Create a batch from a file of requests to one path. One attempt: it may cost money."""
        body = {
            "input_file_id": file,
            "endpoint": f"/v1{path}",
            "completion_window": "24h",
            "metadata": {TOKEN: token},
        }
        return _batch(await self._json("POST", "/batches", json=body))

    async def look(self, batch: str) -> Batch:
        """How far a batch is. One attempt."""
        return _batch(await self._json("GET", f"/batches/{batch}"))

    async def find(self, token: str) -> Batch | None:
        """The batch that was created under a token, if it was."""
        after = ""
        for _ in range(_PAGES):
            page = await patiently(partial(self.page, after))
            found = [each for each in _list(page.get("data")) if isinstance(each, Mapping)]
            for each in found:
                if mapping_in(each, "metadata").get(TOKEN) == token:
                    return _batch(each)
            if not page.get("has_more") or not found:
                break
            after = _text(found[-1], "id")
        return None

    async def page(self, after: str) -> Mapping[str, Any]:
        """Some of the batches, newest first, from behind one of them. One attempt."""
        asked = {"limit": str(_PAGE)} | ({"after": after} if after else {})
        return await self._json("GET", "/batches", params=asked)

    async def lines(self, file: str) -> AsyncIterator[Mapping[str, Any]]:
        """The lines of an output or error file, as they arrive. One attempt."""
        async with self._request("GET", f"/files/{file}/content") as response:
            rest = bytearray()
            async for part in inflated(response):
                rest += part
                if b"\n" in part:
                    *whole, last = bytes(rest).split(b"\n")
                    rest = bytearray(last)
                    for text in whole:
                        if line := _line(text):
                            yield line
                    await asyncio.sleep(0)  # whoever has got a reply takes it before more are read
                if len(rest) > LARGEST:
                    raise unreadable(texts("line-too-long", most=LARGEST))
            if line := _line(bytes(rest)):
                yield line

    async def _json(self, method: str, path: str, **sent: Any) -> Mapping[str, Any]:
        async with self._request(method, path, **sent) as response:
            reply, _ = self._parsed(await self._read(response))
        return reply

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, **sent: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        connect = self._http.timeout.sock_connect
        sent["timeout"] = aiohttp.ClientTimeout(sock_connect=connect, sock_read=_SILENCE)
        try:
            async with self._http.request(
                method, self._base + path, proxy=self._proxy, allow_redirects=False, **sent
            ) as response:
                if not 200 <= response.status < 300:
                    content = await self._read(response)
                    raise failure_of(response.status, content, response.headers)
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken_off(error, None) from None


async def check_batches(endpoint: Endpoint, connecting: Connecting) -> MachineCheck:
    """Whether the server has a Batch API: it is asked for its list of batches."""
    async with open_endpoint(endpoint, connecting, BatchApi) as api:
        assert isinstance(api, BatchApi)  # noqa: S101 - as it was asked for
        try:
            page = await api.page("")
        except CallFailed as failure:
            told = texts("no-batches", failure=failure.message)
            return MachineCheck("fault", told, texts("leave-batch-out"))
    if not isinstance(page.get("data"), list):
        told = texts("no-batches", failure=texts("no-list-of-batches"))
        return MachineCheck("fault", told, texts("leave-batch-out"))
    return MachineCheck("ok", texts("takes-batches"))


async def patiently(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """What an attempt gives, repeated after growing pauses while that may help.

    Raises CallFailed: the last failure, final, since a call would not fare better.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(may_pass),
        wait=wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE),
        stop=stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )
    try:
        return await retrying(attempt)
    except CallFailed as failure:
        if not may_pass(failure):
            raise
        raise CallFailed(
            "final", failure.message, status=failure.status, blame=failure.blame
        ) from None


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    return isinstance(error, CallFailed) and error.outcome in ("retry", "wait")


def _text(reply: Mapping[str, Any], name: str) -> str:
    value = reply.get(name)
    if not isinstance(value, str):
        raise mangled(texts("not-in-reply", name=name))
    return value


def _batch(reply: Mapping[str, Any]) -> Batch:
    counts = reply.get("request_counts")
    files = (reply.get("output_file_id"), reply.get("error_file_id"))
    errors = _list(mapping_in(reply, "errors").get("data"))
    return Batch(
        _text(reply, "id"),
        _text(reply, "status"),
        count_in(counts, "completed"),
        count_in(counts, "failed"),
        count_in(counts, "total"),
        tuple(file for file in files if isinstance(file, str) and file),
        tuple(_shown(error) for error in errors),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(error: Any) -> str:
    if not isinstance(error, Mapping):
        return plain_text(error)
    place = f" (line {plain_text(error['line'])})" if error.get("line") else ""
    return f"{plain_text(error.get('code'))}: {plain_text(error.get('message'))}{place}"


def _line(text: bytes) -> Mapping[str, Any] | None:
    """A line of a batch's file; None for one that is no reply: its own request alone is lost."""
    parsed = parse_json(text) if text.strip() else None
    line = parsed.value if parsed else None
    return line if isinstance(line, dict) and isinstance(line.get("custom_id"), str) else None
