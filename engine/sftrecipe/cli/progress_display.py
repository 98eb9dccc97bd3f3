"""Progress on the terminal: bars there, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sftrecipe.cli.terminal import visible
from sftrecipe.messages import message
from sftrecipe.plugin.data_notices import told_texts
from sftrecipe.plugin.trainer import TrainingPhase, TrainingState
from sftrecipe.report.text.text_format import main_figures, reasons_text
from sftrecipe.report.text.training_text import training_text
from sftrecipe.run.progress import Progress, Silent
from sftrecipe.store.step_facts import StepFacts

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from sftrecipe.plan.steps import Step

_EVERY = 10.0
"""Seconds between two plain lines of one step."""


@contextmanager
def show_progress(quiet: bool) -> Iterator[Progress]:
    """Something that shows progress on stderr until the block ends."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rows]}", markup=False),
            TimeElapsedColumn(),
        )
        console = Console(file=sys.__stderr__)  # its own sequences; texts are made visible
        with Bars(*columns, console=console, transient=True) as bars:
            yield _OnTerminal(bars)
    else:
        yield _Lines()


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
    return "\n".join([f"{step.id}: {', '.join(parts)}", *lines])


class _Lines:
    """Plain lines, for logs."""

    def __init__(self) -> None:
        self._last_line_at = time.monotonic()

    def started(self, step: str, total: int | None) -> None:
        self._last_line_at = time.monotonic()

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        if self._is_due():
            rows = message("progress-so-far", {"kept": kept, "rejected": rejected})
            click.echo(f"{step}: {rows}", err=True)

    def looked_at(self, step: str, count: int) -> None:
        if self._is_due():
            click.echo(f"{step}: {message('progress-looked-at', {'count': count})}", err=True)

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        if self._is_due():
            click.echo(f"{step}: {training_text(state)}", err=True)

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        click.echo(finished_line(step, facts, cached), err=True)

    def line(self, text: str) -> None:
        click.echo(text, err=True)

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last_line_at < _EVERY:
            return False
        self._last_line_at = now
        return True


class _OnTerminal:
    """A bar for the step at work, a line for each that is done."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, rows="", visible=False)
        self._last_line_at = 0.0

    def started(self, step: str, total: int | None) -> None:
        self._bars.reset(self._task, total=total, description=visible(step), rows="", visible=True)

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        now = time.monotonic()
        if now - self._last_line_at >= 0.1:
            self._last_line_at = now
            rows = message("progress-rows", {"kept": kept, "rejected": rejected})
            self._bars.update(self._task, completed=kept + rejected, rows=rows)

    def looked_at(self, step: str, count: int) -> None:
        rows = message("progress-looked-at", {"count": count})
        self._bars.update(self._task, completed=count, rows=rows)

    def trained(self, step: str, state: TrainingState | TrainingPhase) -> None:
        done, total = state[:2] if isinstance(state, TrainingState) else (state.done, state.total)
        rows = training_text(state)
        self._bars.update(self._task, completed=done or 0, total=total or None, rows=rows)

    def finished(self, step: Step, facts: StepFacts, cached: bool) -> None:
        self._bars.update(self._task, visible=False)
        mark = "·" if cached else "✓"
        self.line(f"{mark} {finished_line(step, facts, cached)}")

    def line(self, text: str) -> None:
        self._bars.console.print(visible(text), highlight=False, markup=False)
