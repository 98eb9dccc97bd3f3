"""A worker in another Python environment that answers requests over its standard streams."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.plugin import Answer, CallFailed, Request, SftrecipeError
from sftrecipe_registry.shared.http.endpoint import seed_of
from sftrecipe_registry.shared.http.protocol_turns import template_turns
from sftrecipe_registry.shared.processes.server_log import telling_lines
from sftrecipe_registry.shared.processes.server_process import GRACE, status_text

_LINE = 64 * 1024 * 1024
"""Bytes of the longest reply."""


@asynccontextmanager
async def worker_process(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[WorkerProcess]:
    """Run a worker for as long as the block lasts; it reads until its input is closed.

    Raises SftrecipeError with the worker's own words when it does not start.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            env=environment,
            cwd="/",
            limit=_LINE,
            start_new_session=True,  # Ctrl-C is the engine's: it closes the worker's input
        )
    worker = WorkerProcess(name, process, log)
    try:
        await worker.ready()
        yield worker
    finally:
        await worker.stop()


class WorkerProcess:
    """A worker that works on many requests at once."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        assert process.stdin is not None  # noqa: S101 - both were asked for
        assert process.stdout is not None  # noqa: S101
        self._name = name
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self._log = log
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def ready(self) -> None:
        """Wait until the model is loaded: the worker's first line."""
        if not await self._output.readline():
            await self._process.wait()
            raise self._error("server-start")
        self._reader = asyncio.create_task(self._read())

    async def send(self, request: Request) -> Answer:
        """One attempt. Raises SftrecipeError when the worker has died."""
        number = next(self._numbers)
        if self._reader is None or self._reader.done():
            raise self._error("server-died")
        arrived: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = arrived
        try:
            self._input.write(orjson.dumps({"id": number, **_asked(request)}) + b"\n")
            with suppress(ConnectionError):  # it died: its reader tells
                await self._input.drain()
            reply = await arrived
        finally:
            del self._asked[number]
        if "error" in reply:
            raise CallFailed("final", reply["error"])
        return Answer(
            reply.get("text", ""),
            reply["finish"],
            reply["input_tokens"],
            reply["output_tokens"],
            tuple(reply.get("logprobs", ())),
            tuple(reply.get("vector", ())),
        )

    async def stop(self) -> None:
        """End it, and wait until it is gone."""
        self._input.close()
        try:
            await asyncio.wait_for(self._process.wait(), GRACE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        while line := await self._output.readline():
            reply = orjson.loads(line)
            waiting = self._asked.get(reply["id"])
            if waiting is not None and not waiting.done():
                waiting.set_result(reply)
        await self._process.wait()
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(self._error("server-died"))

    def _error(self, slug: str) -> SftrecipeError:
        code = self._process.returncode or 0
        return SftrecipeError(
            slug,
            "server-log",
            server=self._name,
            status=status_text(code if code >= 0 else 128 - code),
            error=telling_lines(self._log) or "-",
            log=self._log,
        )


def _asked(request: Request) -> dict[str, Any]:
    """What a worker is sent of a request."""
    return {
        "kind": request.kind,
        "messages": template_turns(request.messages),
        "tools": request.tools,
        "prompt": request.prompt,
        "answer": request.answer,
        "sampling": request.sampling,
        "seed": seed_of(request),
    }
