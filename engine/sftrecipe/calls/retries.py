"""When a failed attempt is made again: pauses with jitter, `Retry-After`, and giving up."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from sftrecipe.plugin.provider import Answer, CallFailed, Limits, TimedOut, Unreached

_FIRST_PAUSE, _LONGEST = 0.2, 60.0
_GROWTH = 2.5
"""Of the pauses while the provider answers nobody."""
_FIRST_PAUSE_ALONE, _GROWTH_ALONE = 0.1, 1.4
"""Of the pauses while it answers others: the fault was this one request's bad luck."""
_TRIES_AT_NOBODY = 3
"""Attempts of a call while nobody was ever reached: a wrong address is told within seconds."""
_SHORTEST_PATIENCE = 120.0
"""Seconds that a rate limit is waited out at least, before the call is given up."""


class Patience:
    """How long one call goes on trying.

    Faults are counted (`attempts`); being told to wait is no fault, and is bounded by time.
    """

    def __init__(self, limits: Limits, answered: Callable[[], int]) -> None:
        self._limits = limits
        self._answered = answered
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
        answered = self._answered()
        if answered > self._answered_before:
            grown = _FIRST_PAUSE_ALONE * _GROWTH_ALONE**self._alone
            if isinstance(failure, TimedOut):
                grown = 0.0  # it waited long enough
            self._alone += 1
        else:
            grown = _FIRST_PAUSE * _GROWTH**self._with_others
            self._with_others += 1
        self._answered_before = answered
        pause = min(grown, _LONGEST) * jitter
        if failure.outcome == "wait":
            if failure.retry_after is not None:
                # Later than told, never earlier, and not all at the same moment.
                pause = failure.retry_after + 0.1 * jitter * max(1.0, failure.retry_after)
            self._waited += pause
        else:
            self._faults += 1
        return pause

    def _given_up(self, state: RetryCallState) -> bool:
        if _failure(state).outcome == "wait":
            return self._waited > max(self._limits.timeout, _SHORTEST_PATIENCE)
        if isinstance(_failure(state), Unreached) and not self._answered():
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
