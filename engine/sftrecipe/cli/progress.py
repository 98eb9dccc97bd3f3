"""Progress on the terminal: bars there, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from sftrecipe.run.progress import Progress, Silent
from sftrecipe.store.steps import StepFacts

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

_EVERY = 10.0
"""Seconds between two plain lines of one step."""


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """Something that shows progress on stderr until the block ends."""
    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rows]}"),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            yield _OnTerminal(bars)
    else:
        yield _Lines()


def finished_line(step: str, facts: StepFacts, cached: bool) -> str:
    """What a finished step came to, in one line."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in facts.reasons.items())
    lost = f", {facts.rejected} rejected ({reasons})" if facts.rejected else ""
    aside = f", {facts.set_aside} not sampled" if facts.set_aside else ""
    asked = sum(usage["asked"] for usage in facts.calls.values())
    calls = f", {asked} calls" if asked and not cached else ""
    when = "done before" if cached else f"{facts.seconds:.1f} s"
    return f"{step}: {facts.kept} rows{lost}{aside}{calls}, {when}"


class _Lines:
    """Plain lines, for logs."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def started(self, step: str, total: int | None) -> None:
        self._told = time.monotonic()

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        now = time.monotonic()
        if now - self._told >= _EVERY:
            self._told = now
            click.echo(f"{step}: {kept} rows, {rejected} rejected so far", err=True)

    def finished(self, step: str, facts: StepFacts, cached: bool) -> None:
        click.echo(finished_line(step, facts, cached), err=True)

    def line(self, text: str) -> None:
        click.echo(text, err=True)


class _OnTerminal:
    """A bar for the step at work, a line for each that is done."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("", total=None, rows="", visible=False)
        self._told = 0.0

    def started(self, step: str, total: int | None) -> None:
        self._bars.reset(self._task, total=total, description=step, rows="", visible=True)

    def advanced(self, step: str, kept: int, rejected: int) -> None:
        now = time.monotonic()
        if now - self._told >= 0.1:
            self._told = now
            rows = f"{kept} rows, {rejected} rejected"
            self._bars.update(self._task, completed=kept + rejected, rows=rows)

    def finished(self, step: str, facts: StepFacts, cached: bool) -> None:
        self._bars.update(self._task, visible=False)
        mark = "·" if cached else "✓"
        self._bars.console.print(f"{mark} {finished_line(step, facts, cached)}", highlight=False)

    def line(self, text: str) -> None:
        self._bars.console.print(text, highlight=False, markup=False)
