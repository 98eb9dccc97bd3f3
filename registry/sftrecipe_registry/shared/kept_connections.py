"""Connections that are kept between requests, and that the server may have closed meanwhile.

Such a request did not arrive: it is sent once more, at once, and counts once. HTTP leaves that to
the client (RFC 9112, 9.3.1); aiohttp does it for GET, but not for POST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

IDLE_SECONDS = 30.0
"""How long a connection is kept that nobody uses."""
_AT_ONCE = 1.0
"""Seconds within which a closed connection shows; later, the request may have arrived."""


class Sending:
    """One request on its way."""

    def __init__(self, now: float) -> None:
        self.reused = False
        """Whether it went out on a connection that was there already."""
        self._began = now

    def was_stale(self, error: BaseException, now: float) -> bool:
        """Whether the request failed because its connection had been closed before."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        closed = isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError))
        return self.reused and closed and now - self._began < _AT_ONCE


def noting_reuse() -> aiohttp.TraceConfig:
    """Tells a `Sending` (a request's `trace_request_ctx`) that its connection was kept."""
    import aiohttp  # noqa: PLC0415 - imported when the connection was opened

    async def reused(_session: Any, context: Any, _: Any) -> None:
        if isinstance(context.trace_request_ctx, Sending):
            context.trace_request_ctx.reused = True

    config = aiohttp.TraceConfig()
    config.on_connection_reuseconn.append(reused)
    return config
