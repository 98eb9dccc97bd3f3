"""One attempt of one call, to see whether a provider answers today.

Past the ledger, whose replies of another day would tell nothing of today's server; past the budget,
limits and retries, since a single attempt tells the most. A run takes nothing from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from sftrecipe.calls.redaction import scrub_message
from sftrecipe.calls.replies.reply_parts import in_parts
from sftrecipe.calls.session import Connection
from sftrecipe.plugin.base import MachineCheck
from sftrecipe.plugin.provider import (
    Answer,
    CallFailed,
    LimitsSeen,
    Provider,
    Request,
    TellsLimits,
    no_reply_text,
)


class AttemptResult(NamedTuple):
    """What came of an attempt: an answer or a failure."""

    seconds: float
    answer: Answer | None = None
    failure: CallFailed | None = None
    limits: LimitsSeen | None = None
    """What the server told with it."""


class OneAttempt:
    """A provider, connected when it is first asked."""

    def __init__(self, provider: Provider, connection: Connection) -> None:
        self._provider = provider
        self._connection = connection

    async def ask(self, request: Request, seconds: float) -> AttemptResult:
        """One attempt, within so many seconds once it is connected. Raises what connecting does."""
        adapter = await self._connection.adapter()
        started = time.perf_counter()
        answer = failure = None
        try:
            async with asyncio.timeout(seconds):
                answer = in_parts(await adapter.send(request), request.kind, request.prompt)
        except TimeoutError:
            failure = CallFailed("retry", no_reply_text(seconds))
        except CallFailed as error:
            error.message = scrub_message(error.message)
            failure = error
        limits = adapter.limits_seen if isinstance(adapter, TellsLimits) else None
        return AttemptResult(time.perf_counter() - started, answer, failure, limits)

    async def server_checks(self, seconds: float) -> list[MachineCheck]:
        """What the provider finds of its server beside calls, within so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                found = await self._provider.check_server(self._connection)
        except TimeoutError:
            return [MachineCheck("warning", no_reply_text(seconds))]
        return [each._replace(found=scrub_message(each.found)) for each in found]


@asynccontextmanager
async def open_attempt(
    provider: Provider, folder: Path, progress: Callable[[str], None]
) -> AsyncIterator[OneAttempt]:
    """A provider to be tried, and closed at the end; `folder` is the project's for providers."""
    connection = Connection(provider.at_once(), 1, folder, progress)
    try:
        yield OneAttempt(provider, connection)
    finally:
        await asyncio.gather(connection.close(), return_exceptions=True)
