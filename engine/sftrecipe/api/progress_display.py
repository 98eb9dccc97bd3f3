"""Progress on the terminal: bars there, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sftrecipe.api.step_pace import StepPace, fitting
from sftrecipe.api.terminal import visible
from sftrecipe.messages import in_user_language, message, word
from sftrecipe.plugin.data_notices import told_texts
from sftrecipe.plugin.trainer import TrainingPhase, TrainingState
from sftrecipe.report.text.text_format import main_figures, reasons_text
from sftrecipe.report.text.training_text import training_text
from sftrecipe.run.progress import Progress, Silent, Spending
from sftrecipe.store.step_facts import StepFacts

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn

    from sftrecipe.plan.steps import Step

_EVERY = 10.0
"""Seconds between two plain lines of one step that takes no longer than `_SHORT` seconds."""
_SHORT, _SELDOM = 300, 30
"""Of longer ones the lines come more seldom, up to so many times."""
_DRAWN_A_SECOND = 4
_BAR = 24
_WIDE = 72
"""Cells of a terminal that has room for a bar."""


@contextmanager
def show_progress(quiet: bool) -> Iterator[Progress]:
    """Something that shows progress on stderr until the block ends."""
    if quiet:
        yield Silent()
    elif _is_live():
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, SpinnerColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        console = Console(file=sys.__stderr__)  # its own sequences; texts are made visible
        bar = [BarColumn(bar_width=_BAR)] if console.width >= _WIDE else []
        columns = (SpinnerColumn(), *bar, _told_column(_BAR + 4 if bar else 3))
        with Bars(
            *columns, console=console, transient=True, refresh_per_second=_DRAWN_A_SECOND
        ) as bars:
            yield _OnTerminal(bars)
    else:
        yield _Lines()


def _is_live() -> bool:
    """Whether stderr is a terminal that somebody looks at, and that can draw a line anew."""
    dumb = os.environ.get("TERM") == "dumb" or os.environ.get("CI", "") not in ("", "0", "false")
    return sys.stderr.isatty() and not dumb


def _told_column(taken: int) -> ProgressColumn:
    """The text behind a bar, as much of it as fits; `taken`: cells of the line that are not its."""
    from rich.progress import ProgressColumn, Task  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class _Told(ProgressColumn):
        """No wider than the terminal now is."""

        def render(self, task: Task) -> Text:
            """What is told of a task."""
            width = shutil.get_terminal_size().columns - taken - 1
            return Text(fitting(task.fields["told"], width), no_wrap=True, overflow="ellipsis")

    return _Told()


def finished_line(step: Step, facts: StepFacts, cached: bool) -> str:
    """What a finished step came to, in one line."""
    parts = [message("amount-rows", {"count": facts.kept})] if facts.made else []
    figures = main_figures(facts.metrics)
    parts += [f"{figure.name} {figure.value:.4g}" for figure in figures]
    if facts.rejected:
        lost = {"count": facts.rejected, "reasons": reasons_text(step, facts.reasons)}
        parts.append(message("progress-rejected", lost))
    if facts.untagged:
        parts.append(message("progress-untagged", {"count": sum(facts.untagged.values())}))
    if facts.set_aside:
        parts.append(message("progress-set-aside", {"count": facts.set_aside}))
    asked = sum(usage["asked"] for usage in facts.calls.values())
    if asked and not cached:
        parts.append(message("amount-calls", {"count": asked}))
    took = {"seconds": f"{facts.seconds:.1f}"}
    parts.append(message("progress-cached" if cached else "progress-seconds", took))
    told = told_texts(facts.told)
    lines = [message("told-line", {"step": step.id, "told": each}) for each in told]
    return "\n".join([f"{step.id}: {word('comma').join(parts)}", *lines])


class _Steps:
    """The step at work, and which of how many it is."""

    def __init__(self) -> None:
        self._spending: Callable[[], Spending] | None = None
        self._steps = self._done = 0
        self._pace = StepPace(None, None)

    def begun(self, steps: int, spending: Callable[[], Spending]) -> None:
        self._steps, self._done, self._spending = steps, 0, spending

    def _begin(self, step: str, total: int | None) -> None:
        self._pace = StepPace(total, self._spending)

    def _name(self, step: str) -> str:
        """`ask (3/8)`."""
        return f"{step} ({self._done + 1}/{self._steps})" if self._steps > 1 else step


class _Lines(_Steps):
    """Plain lines, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self._began = self._last_line_at = time.monotonic()

    def started(self, step: str, total: int | None) -> None:
        self._begin(step, total)
        self._began = self._last_line_at = time.monotonic()

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        if self._is_due():
            self._tell(step, kept + rejected, rejected)

    def looked_at(self, step: str, count: int) -> None:
        if self._is_due():
            self._tell(step, count)

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        if self._is_due():
            click.echo(f"{self._name(step)}: {training_text(state)}", err=True)

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        self._done += 1
        click.echo(finished_line(step, facts, cached), err=True)

    def line(self, text: str) -> None:
        click.echo(in_user_language(text), err=True)

    def _tell(self, step: str, done: int, rejected: int = 0) -> None:
        self._pace.moved(done, rejected)
        told = message("training-comma", {}).join(self._pace.parts())
        click.echo(f"{self._name(step)}: {told}", err=True)

    def _is_due(self) -> bool:
        """Now and then, and more seldom the longer the step takes."""
        now = time.monotonic()
        every = _EVERY * min(max(1, (now - self._began) / _SHORT), _SELDOM)
        if now - self._last_line_at < every:
            return False
        self._last_line_at = now
        return True


class _OnTerminal(_Steps):
    """A bar for the step at work, a line for each that is done."""

    def __init__(self, bars: Bars) -> None:
        super().__init__()
        self._bars = bars
        self._task = bars.add_task("", total=None, told=[""], visible=False)
        self._last_line_at = 0.0

    def started(self, step: str, total: int | None) -> None:
        self._begin(step, total)
        told = [visible(self._name(step))]
        self._bars.reset(self._task, total=self._pace.total, told=told, visible=True)

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        self._tell(step, kept + rejected, rejected)

    def looked_at(self, step: str, count: int) -> None:
        self._tell(step, count)

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        done, total = state[:2] if isinstance(state, TrainingState) else (state.done, state.total)
        told = [visible(self._name(step)), visible(training_text(state))]
        self._bars.update(self._task, completed=done or 0, total=total or None, told=told)

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        self._done += 1
        self._bars.update(self._task, visible=False)
        mark = "·" if cached else "✓"
        self.line(f"{mark} {finished_line(step, facts, cached)}")

    def line(self, text: str) -> None:
        told = visible(in_user_language(text))
        self._bars.console.print(told, highlight=False, markup=False)

    def _tell(self, step: str, done: int, rejected: int = 0) -> None:
        now = time.monotonic()
        if now - self._last_line_at < 1 / _DRAWN_A_SECOND:
            return
        self._last_line_at = now
        self._pace.moved(done, rejected)
        told = [visible(self._name(step)), *self._pace.parts()]
        self._bars.update(self._task, completed=done, told=told)
