"""Watching a training: its steps, their pace, and what it does before, between and after them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sftrecipe.plugin import Training, TrainingPhase, TrainingState
from sftrecipe_registry.llamafactory.training.log import TrainingLog
from sftrecipe_registry.llamafactory.training.program_log import ProgramLog

_TELL = 10.0
"""Seconds of silence after which it is told again what is being done."""


class TrainingWatch:
    """Tells a training's news; asked again and again while it runs."""

    def __init__(self, training: Training, folder: Path, log: Path, done: int | None) -> None:
        self._training = training
        self._steps = TrainingLog(folder)
        self._program = ProgramLog(log)
        self._resumed_from = done
        self._state = TrainingState(done or 0, 0)
        self._first: tuple[int, float] | None = None
        """The step at which it was looked at first, and when that was."""
        self._told = 0.0
        self._phase: TrainingPhase | None = None
        self._doing, self._began = "", 0.0
        """What it was seen doing last, and since when."""
        if done is not None:
            list(self._steps.news())

    def look(self, seconds: float) -> None:
        """Tell what is new; `seconds`: since the program was started."""
        self._program.look()
        phase, news = self._program.phase, False
        if phase.doing != self._doing:
            self._doing, self._began = phase.doing, seconds
        if self._first is None and phase.doing in ("training", "evaluating", "saving"):
            self._first = self._state.step, seconds
        for state in self._steps.news():
            news = True
            self._tell(state, seconds)
        steps = self._program.steps
        if steps and self._program.step > self._state.step:
            news = True
            self._tell(self._state._replace(step=self._program.step, steps=steps), seconds)
        changed = self._phase is None or self._phase.doing != phase.doing
        if not news and (changed or seconds - self._told >= _TELL):
            self._tell_phase(phase, seconds)

    def _tell(self, state: TrainingState, seconds: float) -> None:
        """Tell of a step, with the pace since the first look."""
        self._told, self._phase = seconds, self._program.phase
        loss = self._state.loss if state.loss is None else state.loss
        epoch = self._state.epoch if state.epoch is None else state.epoch
        pace = left = None
        if self._first is not None and state.step > self._first[0]:
            pace = (seconds - self._first[1]) / (state.step - self._first[0])
            left = pace * max(0, state.steps - state.step)
        self._first = self._first or (state.step, seconds)
        self._state = TrainingState(state.step, state.steps, loss, epoch, pace, left)
        self._training.tell(self._state._replace(resumed_from=self._resumed_from))
        self._resumed_from = None

    def _tell_phase(self, phase: TrainingPhase, seconds: float) -> None:
        self._told, self._phase = seconds, phase
        in_between = phase.doing == "training" and self._state.steps
        if in_between:
            self._training.tell(self._state)
        else:
            self._training.tell(phase._replace(seconds=seconds - self._began))


def tell_merging(training: Training) -> Callable[[float], None]:
    """What tells, while an adapter is merged, that it is."""
    told = -_TELL

    def look(seconds: float) -> None:
        nonlocal told
        if seconds - told >= _TELL:
            told = seconds
            training.tell(TrainingPhase("merging", seconds=seconds))

    return look
