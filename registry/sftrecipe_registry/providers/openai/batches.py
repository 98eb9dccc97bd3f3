"""Requests gathered into OpenAI's batches: half the price, replies within a day.

A request waits until none has come for a moment; then all of them leave as one batch for each of
the server's paths. Which request is in which batch is noted (`openai_batch_notes`), so that a batch
outlives the engine: the next one that asks the same waits for it and pays nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import IO, Any

import orjson

from sftrecipe.plugin import Answer, CallFailed, Connecting, Request, SftrecipeError, Texts
from sftrecipe_registry.providers.openai.batch_api import Batch, BatchApi, patiently
from sftrecipe_registry.providers.openai.batch_notes import BatchNotes, Note
from sftrecipe_registry.providers.openai.batch_watch import QUIET, Ended, Line, UnderWay
from sftrecipe_registry.shared.http.endpoint import Endpoint, OpenAIAdapter, open_endpoint
from sftrecipe_registry.shared.http.failures import failure_of, fault_of
from sftrecipe_registry.shared.http.reply_inflation import not_an_object
from sftrecipe_registry.shared.http.reply_json import count_in, json_text

texts = Texts(__package__)
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""Of one batch: https://platform.openai.com/docs/guides/batch."""
_LOOKS = (0.0, 1.0, 4.0)
"""Seconds before each look for a batch whose creation was cut off: it may still be on its way."""


class NeverCreated(Exception):
    """The batch that a request was noted in does not exist: the request has not left yet."""


@asynccontextmanager
async def open_batches(
    endpoint: Endpoint, connecting: Connecting, *, poll: float, salt: str
) -> AsyncIterator[BatchAdapter]:
    """An adapter that asks in batches.

    `poll` is in seconds; requests under another `salt` are others, though they look the same.
    """
    notes = BatchNotes(connecting.folder, endpoint.base_url)
    try:
        async with open_endpoint(endpoint, connecting, BatchApi) as api:
            assert isinstance(api, BatchApi)  # noqa: S101 - as it was asked for
            blank = UnderWay("", api, connecting.progress, poll)
            adapter = BatchAdapter(api, notes, blank, salt)
            try:
                yield adapter
            finally:
                await adapter.close()
    finally:
        notes.close()


@dataclass
class Gathering:
    """Requests to one path that will leave together."""

    batch: UnderWay
    lines: IO[bytes]
    last: float = 0.0
    """When the last one came, by the loop's clock."""

    def takes(self, line: bytes) -> bool:
        """Whether there is room for another one."""
        full = len(self.batch.waiting) >= MOST_REQUESTS
        return not full and self.lines.tell() + len(line) <= MOST_BYTES


class BatchAdapter:
    """Sends requests in batches, and waits for the replies of those that left before."""

    def __init__(self, api: BatchApi, notes: BatchNotes, blank: UnderWay, salt: str) -> None:
        self.api = api
        self._notes = notes
        self._blank = blank
        self._salt = salt
        self._waiting: dict[str, asyncio.Future[Ended]] = {}
        self._gathering: dict[str, Gathering] = {}
        """By path."""
        self._under_way: dict[str, UnderWay] = {}
        """By token."""
        self._read: dict[str, list[str]] = {}
        """Requests whose replies arrived, by token; the ledger may not have them yet."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, request: Request) -> Answer:
        """One attempt: the reply of the request's line in a batch."""
        line = _Line(self, request.sample)
        try:
            return await line.send(request)
        except (CallFailed, SftrecipeError):
            if line.token:  # asked again, it leaves again
                self._notes.forget(line.token, [line.id])
            raise

    async def reply_to(self, request: str, path: str, body: bytes) -> Ended:
        """What its batch has for a request: one that is under way or read, else the next one."""
        while True:
            reply = self._waiting.get(request)
            if reply is None:
                reply = self._waiting[request] = asyncio.get_running_loop().create_future()
                reply.add_done_callback(lambda _: self._waiting.pop(request, None))
                self._join(request, path, body, reply)
            with contextlib.suppress(NeverCreated):
                ended = await asyncio.shield(reply)
                self._read.setdefault(ended.token, []).append(request)
                return ended

    def id_of(self, path: str, body: bytes, sample: int) -> str:
        """A request's name, the same in every process."""
        digest = blake2b(b"%s\0%d\0" % (path.encode(), sample), digest_size=16)
        digest.update(self._salt.encode() + b"\0" + body)
        return digest.hexdigest()

    async def close(self) -> None:
        """Stop waiting. What is under way goes on at the server."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for batch in self._under_way.values():
            if batch.name and batch.waiting:
                batch.tell(f"batch {batch.name} goes on without this run; the next run reads it")
        with contextlib.suppress(SftrecipeError):  # notes that are left do no harm
            for token, requests in self._read.items():
                self._notes.forget(token, requests)

    def _join(self, request: str, path: str, body: bytes, reply: asyncio.Future[Ended]) -> None:
        """Wait with others for a batch that was sent, or for one to be made."""
        note = self._notes.of_request(request)
        if note is None:
            self._gather(request, path, body, reply)
            return
        batch = self._under_way.get(note.token)
        if batch is None:
            batch = self._begin(note.token)
            self._start(self._resume(note, batch), batch)
        batch.waiting[request] = reply

    def _gather(self, request: str, path: str, body: bytes, reply: asyncio.Future[Ended]) -> None:
        line = b'{"custom_id":"%s","method":"POST","url":"/v1%s","body":%s}\n' % (
            request.encode(),
            path.encode(),
            body,
        )
        gathering = self._gathering.get(path)
        if gathering is None or not gathering.takes(line):
            lines = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has left
            gathering = Gathering(self._begin(secrets.token_hex(16)), lines)
            self._gathering[path] = gathering
            self._start(self._leave(gathering, path), gathering.batch)
        gathering.lines.write(line)
        gathering.batch.waiting[request] = reply
        gathering.last = asyncio.get_running_loop().time()

    def _begin(self, token: str) -> UnderWay:
        batch = replace(self._blank, token=token, waiting={})
        self._under_way[token] = batch
        return batch

    def _start(self, work: Coroutine[Any, Any, None], batch: UnderWay) -> None:
        async def told() -> None:
            try:
                await work
            except Exception as error:
                batch.fail(error)
            del self._under_way[batch.token]

        task = asyncio.create_task(told())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _leave(self, gathering: Gathering, path: str) -> None:
        """Wait until all are there, then send the batch and wait for it."""
        loop, batch = asyncio.get_running_loop(), gathering.batch
        with gathering.lines:
            while self._gathering.get(path) is gathering:
                if (left := gathering.last + QUIET - loop.time()) > 0:
                    await asyncio.sleep(left)
                else:
                    del self._gathering[path]
            file = await self.api.upload(gathering.lines)
        requests = list(batch.waiting)
        self._notes.write(batch.token, requests)
        batch.name = (await self._create(file, path, batch)).id
        self._notes.created(batch.token, batch.name)
        batch.tell(f"batch {batch.name}: {len(requests)} requests sent")
        await batch.watch()

    async def _create(self, file: str, path: str, batch: UnderWay) -> Batch:
        tried = False

        async def attempt() -> Batch:
            nonlocal tried
            if tried and (found := await self._find(batch.token)):
                return found
            tried = True
            return await self.api.create(file, path, batch.token)

        try:
            return await patiently(attempt)
        except CallFailed as failure:
            if 400 <= (failure.status or 0) < 500:  # it was refused; else it may exist
                self._notes.forget(batch.token, batch.waiting)
            raise

    async def _find(self, token: str) -> Batch | None:
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            if found := await self.api.find(token):
                return found
        return None

    async def _resume(self, note: Note, batch: UnderWay) -> None:
        """Go on with a batch of an earlier run."""
        if note.batch is None:
            found = await self._find(note.token)
            if found is None:
                self._notes.forget(note.token, batch.waiting)
                batch.fail(NeverCreated())
                return
            self._notes.created(note.token, found.id)
            note = note._replace(batch=found.id)
        batch.name = note.batch or ""
        batch.tell(f"batch {batch.name}: sent by an earlier run, its replies are waited for")
        await batch.watch()


class _Line(OpenAIAdapter):
    """One request: its body is written into a batch, its reply read out of one."""

    def __init__(self, batches: BatchAdapter, sample: int) -> None:
        super().__init__(batches.api.endpoint, batches.api.http)
        self.tell, self._left_out = batches.api.tell, batches.api._left_out
        self._batches = batches
        self._sample = sample
        self.id = ""
        self.token = ""
        """The batch that has ended with, or without, a reply to it."""

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """The reply in the batch, and its text. Raises CallFailed, classified."""
        # orjson's own buffer is many times the text, and thousands of requests wait here.
        content = bytes(memoryview(orjson.dumps(body)))
        self.id = self._batches.id_of(path, content, self._sample)
        ended = await self._batches.reply_to(self.id, path, content)
        self.token = ended.token
        if isinstance(ended.found, Exception):
            raise ended.found
        reply = _response(ended.found)
        self.check(reply)
        return reply, json_text(reply)


def _response(line: Line) -> dict[str, Any]:
    """The body of a line's response. Raises CallFailed, as the same reply alone would."""
    response = line.get("response")
    if not isinstance(response, Mapping):
        fault = fault_of(line)
        said = f"{fault.code}: {fault.message}".lstrip(": ") if fault else texts("no-response")
        raise CallFailed("retry", said)
    body, status = response.get("body"), count_in(response, "status_code")
    if not 200 <= status < 300:
        failure = failure_of(status, json_text(body).encode(), {})
        if failure.outcome == "wait":  # no sign that batches should be smaller
            failure.outcome = "retry"
        raise failure
    if not isinstance(body, dict):
        raise not_an_object()
    return body
