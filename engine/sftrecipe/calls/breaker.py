"""When a provider is given up: what tells that asking it more would only fail more."""

from __future__ import annotations

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.provider import CallFailed, Limits


class Breaker:
    """Counts a provider's replies and its calls that failed for good.

    Where they do not come in the calls' order (`sorted_out`: a batch's failures come all together),
    failures in a row mean nothing once there are replies.
    """

    def __init__(self, provider: str, limits: Limits, *, sorted_out: bool = False) -> None:
        self.answered = 0
        self._provider = provider
        self._most = limits.stop_after_failures
        self._sorted_out = sorted_out
        self._in_a_row = 0

    def reply_came(self) -> None:
        """The provider answers."""
        self.answered += 1
        self._in_a_row = 0

    def call_failed(self, failure: CallFailed) -> SftrecipeError | None:
        """Why the run stops, where this failure is one too many."""
        self._in_a_row += 1
        if not self._is_hopeless(failure):
            return None
        slug = "provider-failing" if self._in_a_row >= self._most else "provider-unusable"
        return SftrecipeError(
            slug,
            slug,
            provider=self._provider,
            count=self._in_a_row,
            error=failure.message,
        )

    def _is_hopeless(self, failure: CallFailed) -> bool:
        counts = not (self._sorted_out and self.answered)
        if (counts and self._in_a_row >= self._most) or failure.status == 401:
            return True
        # Nothing was ever answered, and what came back has nothing to do with this one request.
        return not self.answered and (
            failure.status in (403, 404, 405) or failure.outcome in ("retry", "wait")
        )
