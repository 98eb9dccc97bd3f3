"""Connections that are kept between requests, and that the server may have closed meanwhile.

A request that meets a closed connection did not arrive: it is sent once more, at once, and counts
once. HTTP leaves that to the client (RFC 9112, 9.3.1); aiohttp does it for GET, but not for POST.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

IDLE_SECONDS = 30.0
"""How long a connection is kept that nobody uses."""
_AT_ONCE = 0.02


class Sending:
    """One request on its way."""

    def __init__(self) -> None:
        self.connecting_since = 0.0
        self.stale_until = 0.0
        """Until when an end of its connection means that it had been closed before."""

    def was_stale(self, error: BaseException) -> bool:
        """Whether the request failed because its connection had been closed before."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        closed = isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError))
        return closed and time.monotonic() < self.stale_until


def watched_connections() -> aiohttp.TraceConfig:
    """Tells each `Sending` (a request's `trace_request_ctx`) of its connection.

    That a kept one is closed shows within a round trip, which is less than connecting takes; what
    ends later may have arrived.
    """
    import aiohttp  # noqa: PLC0415 - imported when the connection was opened

    connect = 1.0

    async def connecting(_session: Any, context: Any, _: Any) -> None:
        if isinstance(context.trace_request_ctx, Sending):
            context.trace_request_ctx.connecting_since = time.monotonic()

    async def connected(_session: Any, context: Any, _: Any) -> None:
        nonlocal connect
        if isinstance(context.trace_request_ctx, Sending):
            took = time.monotonic() - context.trace_request_ctx.connecting_since
            connect = min(connect, took)

    async def reused(_session: Any, context: Any, _: Any) -> None:
        if isinstance(context.trace_request_ctx, Sending):
            context.trace_request_ctx.stale_until = time.monotonic() + max(connect, _AT_ONCE)

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(connecting)
    config.on_connection_create_end.append(connected)
    config.on_connection_reuseconn.append(reused)
    return config
