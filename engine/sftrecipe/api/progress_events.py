"""What a run tells a program while it works, one event after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sftrecipe.api.progress_display import show_progress
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.trainer import TrainingPhase, TrainingState
from sftrecipe.run.progress import Progress, Spending
from sftrecipe.store.step_facts import StepFacts

_EVERY = 0.1
"""Seconds between two events of one kind on how far a step is."""


@dataclass(frozen=True)
class StepStarted:
    """A step begins; `total`: about how many items it will work on."""

    step: str
    total: int | None


@dataclass(frozen=True)
class StepAdvanced:
    """So many rows are kept and rejected by now."""

    step: str
    kept: int
    rejected: int


@dataclass(frozen=True)
class StepLookedAt:
    """So many items of a step that decides at its end are done by now."""

    step: str
    count: int


@dataclass(frozen=True)
class StepTrained:
    """A training is so far, or does this."""

    step: str
    state: TrainingState | TrainingPhase


@dataclass(frozen=True)
class StepFinished:
    """A step is done; `cached`: an earlier run had done it."""

    step: str
    kept: int
    rejected: int
    calls: int
    seconds: float
    cached: bool


@dataclass(frozen=True)
class News:
    """One line to read: what a run waits for, a budget that is too small, a report that failed."""

    text: str


ProgressEvent = StepStarted | StepAdvanced | StepLookedAt | StepTrained | StepFinished | News


class EventProgress:
    """Makes events of what a run tells; of those that say how far a step is, ten a second."""

    def __init__(self, send: Callable[[ProgressEvent], None]) -> None:
        self._send = send
        self._last = 0.0

    def started(self, step: str, total: int | None) -> None:
        self._last = 0.0
        self._send(StepStarted(step, total))

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        if self._is_due():
            self._send(StepAdvanced(step, kept, rejected))

    def begun(self, steps: int, spending: Callable[[], Spending]) -> None:
        """Steps tell of themselves, and what was paid is the outcome's."""

    def looked_at(self, step: str, count: int) -> None:
        if self._is_due():
            self._send(StepLookedAt(step, count))

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        if self._is_due():
            self._send(StepTrained(step, state))

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        calls = 0 if cached else sum(usage["asked"] for usage in facts.calls.values())
        kept = facts.kept if facts.made else 0
        self._send(StepFinished(step.id, kept, facts.rejected, calls, facts.seconds, cached))

    def line(self, text: str) -> None:
        self._send(News(text))

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < _EVERY:
            return False
        self._last = now
        return True


@contextmanager
def shown_progress(
    wanted: bool | Callable[[ProgressEvent], object] | None, send: Callable[[ProgressEvent], None]
) -> Iterator[Progress]:
    """Whom a run tells of its progress until the block ends: nobody, True the terminal, else `send`
    gets the events."""
    if callable(wanted):
        yield EventProgress(send)
    else:
        with show_progress(quiet=not wanted) as shown:
            yield shown
