"""What the user is told of a provider while it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable

from sftrecipe.calls.limits.failures import TOLD_FROM
from sftrecipe.messages import message


class ProviderNotices:
    """Lines about one provider: long waits, and what was odd about its replies."""

    def __init__(self, provider: str, tell: Callable[[str], None]) -> None:
        self._provider = provider
        self._tell = tell
        self._told_at = -TOLD_FROM
        self._notes: set[str] = set()

    def wait(self, seconds: float, why: str = "") -> None:
        """Say that a call waits long; once for all that wait at about the same time."""
        now = time.monotonic()
        if now - self._told_at >= TOLD_FROM:
            self._told_at = now
            values = {"provider": self._provider, "seconds": f"{seconds:.0f}", "error": why}
            self._tell(message("wait-told" if why else "wait-limit", values))

    def odd(self, note: str) -> None:
        """Say what was odd about a reply, the first time."""
        if note not in self._notes:
            self._notes.add(note)
            self._tell(message("reply-odd", {"provider": self._provider, "note": note}))
