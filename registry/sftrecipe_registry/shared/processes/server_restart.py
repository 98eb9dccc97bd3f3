"""A started server that is started once more when it dies while it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from sftrecipe.plugin import Adapter, Answer, Request, SftrecipeError

DIED = "server-died"
"""Slug of the error that a started server's adapter raises when it is gone."""
Start = Callable[[], AbstractAsyncContextManager[Adapter]]


@asynccontextmanager
async def restarted_server(start: Start, progress: Callable[[str], None]) -> AsyncIterator[Adapter]:
    """The server's adapter; what was in flight when it died is asked again of the second one."""
    async with AsyncExitStack() as open_server:
        adapter = await open_server.enter_async_context(start())
        yield _Restarting(start, progress, open_server, adapter)


class _Restarting:
    """Passes requests to the server that lives."""

    def __init__(
        self,
        start: Start,
        progress: Callable[[str], None],
        open_server: AsyncExitStack,
        adapter: Adapter,
    ) -> None:
        self._start = start
        self._progress = progress
        self._open_server = open_server
        self._adapter = adapter
        self._first = adapter
        self._lock = asyncio.Lock()

    async def send(self, request: Request) -> Answer:
        """One attempt. Raises SftrecipeError when the second server has died too."""
        asked = self._adapter
        try:
            return await asked.send(request)
        except SftrecipeError as error:
            if error.problem.slug != DIED or asked is not self._first:
                raise
            await self._started_again(error)
        return await self._adapter.send(request)

    async def _started_again(self, error: SftrecipeError) -> None:
        """Start the second server, unless another request has done so. Raises what that does."""
        async with self._lock:
            if self._adapter is not self._first:
                return
            self._progress(f"{error}; it is started once more")
            await self._open_server.aclose()
            self._adapter = await self._open_server.enter_async_context(self._start())
