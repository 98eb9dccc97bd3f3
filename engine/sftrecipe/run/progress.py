"""What a run tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from sftrecipe.plan.steps import Step
from sftrecipe.plugin.trainer import TrainingPhase, TrainingState
from sftrecipe.store.step_facts import StepFacts


class Spending(NamedTuple):
    """What was paid by now."""

    cost: float
    currency: str | None
    """None where nothing was, or in several."""
    limit: float | None = None
    """What may be; the cost is then all that was spent and is set aside of it."""


class Progress(Protocol):
    """Somebody who shows how far the run is."""

    def begun(self, steps: int, spending: Callable[[], Spending]) -> None:
        """A run of so many steps begins; `spending` tells at any time what was paid by then."""

    def started(self, step: str, total: int | None) -> None:
        """A step begins; `total` is about how many items it will work on."""

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        """So many rows are kept and rejected by now."""

    def looked_at(self, step: str, count: int) -> None:
        """So many items of a step that decides at its end are done by now."""

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        """A training is so far, or does this."""

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        """A step is done, or was done by an earlier run."""

    def line(self, text: str) -> None:
        """One line of news."""


class Silent:
    """Shows nothing."""

    def begun(self, steps: int, spending: Callable[[], Spending]) -> None: ...

    def started(self, step: str, total: int | None) -> None: ...

    def advanced(self, step: str, kept: int, rejected: int) -> None: ...

    def looked_at(self, step: str, count: int) -> None: ...

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None: ...

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None: ...

    def line(self, text: str) -> None: ...
