"""When a failed attempt is made again: pauses with jitter, `Retry-After`, and giving up."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from sftrecipe.plugin.provider import Answer, CallFailed, Limits, TimedOut, Unreached

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds, of our own pauses; what a server asks for may be longer, up to the whole patience."""
_FIRST_PAUSE, _GROWTH = 0.2, 2.5
"""Of the pauses while the provider answers nobody."""
_FIRST_PAUSE_ALONE, _GROWTH_ALONE = 0.1, 1.4
"""Of the pauses while it answers others: the fault was this one request's bad luck."""
_MOST_GROWN = 30
"""Pauses after which they do not grow any more: powers must not overflow."""
_TRIES_AT_NOBODY = 3
"""Attempts of a call while nobody was ever reached: a wrong address is told within seconds."""
MOST_PATIENCE = 600.0
"""Seconds that a call waits at most because it is told to, where `timeout` is longer."""
TOLD_FROM = 10.0
"""Seconds from which a wait is told."""


class Patience:
    """How long one call goes on trying.

    Faults are counted (`attempts`), but for those of an outage, which the breaker ends; being told
    to wait is no fault, and its pauses together are bounded by `timeout`.
    """

    def __init__(
        self,
        limits: Limits,
        answered: Callable[[], int],
        *,
        stopped: Callable[[], bool] = lambda: False,
        outage: Callable[[], bool] = lambda: False,
        told: Callable[[float, str], None] = lambda seconds, why: None,
    ) -> None:
        self._limits = limits
        self._answered = answered
        self._stopped = stopped
        self._outage = outage
        self._told = told
        self._answered_before = answered()
        self._alone = 0
        self._with_others = 0
        self._faults = 0
        self._waited = 0.0

    async def attempt_again(
        self, first: CallFailed, attempt: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Repeat an attempt that failed. Raises the last failure."""
        before = [first]

        async def once() -> Answer:
            if before:
                raise before.pop()
            return await attempt()

        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_succeed),
            wait=self._pause,
            stop=self._given_up,
            reraise=True,
        )
        return await retrying(once)

    def _pause(self, state: RetryCallState) -> float:
        failure = _failure(state)
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, decides nothing
        pause = self._grown(failure) * jitter
        if failure.outcome == "wait":
            asked = failure.retry_after
            if asked is not None:
                # Later than told, never earlier, and not all at the same moment.
                pause = max(pause, asked + 0.1 * jitter * max(1.0, asked))
            self._waited += pause
        elif not self._outage():
            self._faults += 1
        if pause > TOLD_FROM and not self._given_up(state):
            self._told(pause, failure.message)
        return pause

    def _grown(self, failure: CallFailed) -> float:
        """Seconds, longer each time; while the provider answers others, they are short."""
        answered = self._answered()
        if answered > self._answered_before:
            grown = _FIRST_PAUSE_ALONE * _GROWTH_ALONE ** min(self._alone, _MOST_GROWN)
            self._alone += 1
            if isinstance(failure, TimedOut):
                grown = SHORTEST_PAUSE  # it waited long enough
        else:
            grown = _FIRST_PAUSE * _GROWTH ** min(self._with_others, _MOST_GROWN)
            self._with_others += 1
        self._answered_before = answered
        return max(SHORTEST_PAUSE, min(grown, LONGEST_PAUSE))

    def _given_up(self, state: RetryCallState) -> bool:
        failure = _failure(state)
        if self._stopped():
            return True
        if failure.outcome == "wait":
            return self._waited > min(self._limits.timeout, MOST_PATIENCE)
        if isinstance(failure, Unreached) and not self._answered():
            return self._faults >= min(_TRIES_AT_NOBODY, self._limits.attempts)
        return self._faults >= self._limits.attempts


def _may_succeed(error: BaseException) -> bool:
    return isinstance(error, CallFailed) and error.outcome in ("retry", "wait")


def _failure(state: RetryCallState) -> CallFailed:
    outcome = state.outcome
    assert outcome is not None  # noqa: S101 - tenacity asks only after an attempt
    failure = outcome.exception()
    assert isinstance(failure, CallFailed)  # noqa: S101 - no other is retried
    return failure
