"""When an attempt that failed is made again, and when the whole provider is given up.

It is the provider that is judged, never a row. A reply of it, in this run or in the ledger, proves
it alive; a failure that is known to be the row's own (too long, refused) counts for nothing. What
stops a run is

- a failure that concerns every row: key, money, an unknown model, nobody at the address (of a
  provider that answered: when the next call fails so, too);
- failures of all that is sent, for a stretch of time, while other calls wait. From
  `stop_after_failures` on, calls leave one at a time until a reply comes, so that an outage costs
  no storm of requests, and no row but, where all that are at work fail, the first given up: only
  then another call comes and shows that more wait.

Where nothing waits any more, what failed is rejected, and the run ends well.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.plugin.provider import Answer, CallFailed, Limits, TimedOut, Unreached

if TYPE_CHECKING:
    from tenacity import RetryCallState

FAULTS_LAST, WAITS_LAST, NOBODY_LASTS = 90.0, 600.0, 20.0
"""Seconds that failures of everything that is sent are borne while others wait: of faults, of being
told to wait, of nobody being there. The first two are no longer than `timeout`."""
FIRST_GAP, LONGEST_GAP, GAP_GROWTH = 0.5, 2.0, 1.3
"""Seconds between two calls while the provider answers nobody."""
USELESS = 2
"""Calls in a row that fail by the provider's fault, before a provider that answers is given up."""
REFUSED_AT_ONCE = 3
"""Calls of a step that are refused before it ends, where it is not sure for which parameter."""
_DIGITS = re.compile(r"\d+")


class Breaker:
    """Watches what becomes of a provider's calls.

    Where failures do not come in the calls' order (`sorted_out`: a batch's come all together), they
    mean nothing once there are replies.
    """

    def __init__(
        self,
        provider: str,
        limits: Limits,
        *,
        recipe: str = "RECIPE",
        answered_before: Callable[[], bool],
        waiting: Callable[[], int],
        sorted_out: bool = False,
    ) -> None:
        self.answered = 0
        """Replies in this run."""
        self._provider = provider
        self._limits = limits
        self._recipe = recipe
        self._answered_before = answered_before
        self._waiting = waiting
        self._sorted_out = sorted_out
        self._in_a_row = 0
        self._outage = False
        """Others waited when all that was sent began to fail, and no reply came since."""
        self._since = 0.0
        self._kind = ""
        self._told_to_wait = False
        self._nobody = False
        """Nobody was there, and never was in this run: a few tries are all."""
        self._gap = FIRST_GAP
        self._line = asyncio.Lock()
        self._recovered: asyncio.Event | None = None
        self._refused: dict[str, int] = {}
        self._useless = 0

    @property
    def _fails_on(self) -> bool:
        """Whether all that is sent fails, of somebody who may answer again."""
        return self._in_a_row >= self._limits.stop_after_failures and not self._nobody

    @property
    def alive(self) -> bool:
        """Whether the provider was ever seen to answer."""
        return self.answered > 0 or self._proven

    @cached_property
    def _proven(self) -> bool:
        return self._answered_before()

    def reply_came(self) -> None:
        """The provider answers."""
        self.answered += 1
        self._useless = 0
        if self._in_a_row:
            self._in_a_row = 0
            self._outage = False
            self._gap = FIRST_GAP
            if self._recovered is not None:
                self._recovered.set()

    def call_comes(self) -> None:
        """Another call is to be made: where all that is sent fails, others wait."""
        self._outage = self._outage or self._fails_on

    async def turn(self) -> None:
        """Wait until a call may leave: in its turn while the provider answers nobody."""
        if not self.out_of_order:
            return
        async with self._line:
            if not self.out_of_order:
                return
            self._recovered = asyncio.Event()
            gap, self._gap = self._gap, min(GAP_GROWTH * self._gap, LONGEST_GAP)
            try:
                async with asyncio.timeout(gap):
                    await self._recovered.wait()
            except TimeoutError:
                pass
            self._recovered = None

    def attempt_failed(self, failure: CallFailed, *, expected: bool) -> SftrecipeError | None:
        """Count an attempt; why the run stops, where all that is sent fails for too long.

        `expected`: the same call failed in an earlier run, which says more of its row.
        """
        if failure.blame == "row" or (expected and self.alive):
            return None
        kind = _kind(failure)
        if kind != self._kind or not self._in_a_row:
            self._kind, self._in_a_row, self._since = kind, 0, time.monotonic()
        self._in_a_row += 1
        self._told_to_wait = failure.outcome == "wait"
        self._nobody = isinstance(failure, Unreached) and not self.answered
        if not self._fails_on:
            self._outage = False
        elif self._waiting():
            self._outage = True
        if not self._outage or (self._sorted_out and self.answered):
            return None
        if time.monotonic() - self._since < self._lasts(failure):
            return None
        return self._error("provider-failing", failure)

    def call_failed(
        self, failure: CallFailed, *, others: int, expected: bool
    ) -> SftrecipeError | None:
        """Why the run stops, where a call that failed for good shows that no other fares better.

        `others`: the provider's calls that are not done yet; `expected`: as for an attempt.
        """
        if failure.blame == "row" or self._is_lone(failure, others, expected=expected):
            return None
        if isinstance(failure, Unreached) and self._nobody_answered():
            # One that was there in this run may come back: then the same command goes on.
            return self._error(
                "provider-failing" if self.answered else "provider-unusable", failure
            )
        if failure.blame == "provider" or self._is_no_api(failure):
            return self._error("provider-unusable", failure)
        # Nothing was ever answered, and what came back has nothing to do with this one request.
        hopeless = failure.status == 403 or (not others and failure.outcome in ("retry", "wait"))
        return self._error("provider-unusable", failure) if hopeless and not self.alive else None

    def step_refused(
        self, failure: CallFailed, step: str, *, others: int, known: bool
    ) -> SftrecipeError | None:
        """Why the run stops, where a step's first calls are refused for the recipe's own words: the
        first one already, where a parameter is named that it sends.

        `others`: calls that the provider has; `known`: the step's replies are in the ledger.
        """
        if failure.blame != "recipe":
            return None
        count = self._refused[step] = self._refused.get(step, 0) + 1
        if count < (REFUSED_AT_ONCE if known or not failure.parameter else 1):
            return None
        return UsageError(
            "step-parameter",
            "step-parameter-line" if failure.remedy else "step-parameter",
            provider=self._provider,
            step=step,
            parameter=failure.parameter or "-",
            count=count,
            others=others,
            error=failure.message,
            line=failure.remedy,
        )

    def _is_lone(self, failure: CallFailed, others: int, *, expected: bool) -> bool:
        """Whether a provider's fault may yet be one row's: a gateway turns some rows away as if
        the key were wrong. The next call tells."""
        if failure.blame != "provider":
            return False
        self._useless += 1
        doubted = self.alive and (others > 0 or expected)
        return doubted and self._useless < USELESS

    def _nobody_answered(self) -> bool:
        """Whether nobody was answered while the last call made all its attempts."""
        return not self.answered or self._in_a_row >= min(
            self._limits.attempts, self._limits.stop_after_failures
        )

    def _is_no_api(self, failure: CallFailed) -> bool:
        """Whether the address seems to be another one: nothing was answered there in this run."""
        status = failure.status or 0
        return not self.answered and (status in (404, 405) or 300 <= status < 400)

    @property
    def out_of_order(self) -> bool:
        """Whether calls leave one at a time, since all that is sent fails and others wait."""
        # Being told to wait has pauses of its own.
        return self._outage and not self._told_to_wait and not self._sorted_out

    def _lasts(self, failure: CallFailed) -> float:
        if isinstance(failure, Unreached):
            return NOBODY_LASTS
        most = min(self._limits.timeout, WAITS_LAST if failure.outcome == "wait" else FAULTS_LAST)
        if failure.outcome == "wait" and (failure.retry_after or 0) > most:
            return 0.0  # a day's limit: nobody waits for it, and nobody is answered before
        return most

    def _error(self, slug: str, failure: CallFailed) -> SftrecipeError:
        return SftrecipeError(
            slug,
            slug,
            provider=self._provider,
            count=max(1, self._in_a_row),
            error=failure.message,
            recipe=self._recipe,
        )


def _kind(failure: CallFailed) -> str:
    """What failures must have in common to be taken for the provider's: requests that are turned
    down one by one, each for something else, are not."""
    if failure.outcome != "final":
        return ""
    return f"{failure.status} {_DIGITS.sub('0', failure.message)}"


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


class RetryPolicy:
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
        # 20 ms: it imports tornado too, where a notebook has that, and most runs repeat nothing.
        from tenacity import AsyncRetrying, retry_if_exception  # noqa: PLC0415

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
