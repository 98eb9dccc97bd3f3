"""Where a row of a run comes from: back to seeds, prompts, replies, scores and models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sftrecipe.calls.ledger.counted_calls import LedgerCall, read_call
from sftrecipe.errors import UsageError
from sftrecipe.plugin.reasons import Reason
from sftrecipe.record import Record
from sftrecipe.run.rejects_file import RejectedRow, written_rejects
from sftrecipe.run.row_search import (
    FoundRow,
    RowSearch,
    exported_row,
    line_of_file,
    nothing_found,
    rows_like,
)
from sftrecipe.run.run_file import read_run
from sftrecipe.run.run_reasons import RunReasons
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.steps.step_files import REJECTS, ROWS
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project
from sftrecipe.store.rows import read_ids, read_rejects, read_rows, rows_named

_DEEP = 12
_MOST = 100
"""Rows that one trace tells."""
_MATCHES = 20


@dataclass
class RowTrace:
    """A row, and what it was made from."""

    row: Record
    step: str
    calls: list[LedgerCall] = field(default_factory=list)
    lost: list[RejectedRow] = field(default_factory=list)
    """Where it was rejected, and why."""
    equal: list[RejectedRow] = field(default_factory=list)
    """Where rows with the same columns were rejected: they have the same id."""
    parents: list[RowTrace] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    """What the reasons of `lost` mean."""
    seen: bool = False
    """Whether it was told before, further up."""


def trace_row(asked: str, out: Path, project: Project) -> RowTrace:
    """The trace of a row of the run in `out`, named as `find_rows` takes it.

    Raises UsageError when there is no run, no such row, or several, or its steps were deleted.
    """
    run, made = _made_rows(out, project)
    found = made.find(asked)
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise UsageError("several-rows", "row-choose", row=asked, ids=ids)
    return _Tracer(made, _losses(out), RunReasons(run), project).trace(found[0].id, 0)


def find_rows(asked: str, out: Path, project: Project) -> list[FoundRow]:
    """The rows of the run in `out` that are meant: by an id or the beginning of one, by words that
    they hold, or by a line of an exported file (`FILE:LINE`); some of each step at most.

    Raises UsageError when there is no run or no such row, or its steps were deleted.
    """
    return _made_rows(out, project)[1].find(asked)


def _made_rows(out: Path, project: Project) -> tuple[RunRecord, _MadeRows]:
    run = read_run(out)
    if run is None:
        raise UsageError("no-run", "run-first", folder=str(out))
    made = _MadeRows(run, StepStore(project.steps))
    if made.is_gone():
        steps = str(project.steps)
        raise UsageError("steps-gone", "make-again", folder=str(out), steps=steps)
    return run, made


class _MadeRows:
    """The rows that a run's sources, generators and judges made."""

    def __init__(self, run: RunRecord, store: StepStore) -> None:
        self.streams = run.streams(store)
        self._damaged = not all(store.has(step.key) for step in run.steps)
        self._folders = {
            step.id: store.path(step.key)
            for step in run.steps
            if step.section in ("sources", "generate", "evaluate")
        }

    def is_gone(self) -> bool:
        """Whether a step's rows were deleted or damaged since."""
        return self._damaged or not all(
            (folder / ROWS).exists() for folder in self._folders.values()
        )

    def find(self, asked: str) -> list[FoundRow]:
        """The rows that are meant. Raises UsageError where there are none."""
        if exported := line_of_file(asked):
            found = rows_like(exported_row(*exported), self.streams)
            if found:
                return found
            raise UsageError("no-such-row", "row-of-run", row=asked, count=0, steps="")
        if re.fullmatch(r"[0-9a-f]{16}", asked):
            step = next((step for step in self._folders if self._has(step, asked)), None)
            if step is not None:
                return [FoundRow(asked, step, "", "")]
        rows = {step: _Rows(folder) for step, folder in self._folders.items()}
        search = RowSearch.among(asked, rows)
        if found := search.best():
            return found
        raise nothing_found(asked, rows, search.looked_at)

    def _has(self, step: str, name: str) -> bool:
        folder = self._folders[step]
        return name in read_ids(folder / ROWS) or any(row.id == name for row in _rejected(folder))

    def rows(self, name: str) -> tuple[str, list[Record]]:
        """The step that made the rows of an id, and the rows with what the filters wrote on them.

        Where some of them passed the filters, those alone.
        """
        for step, folder in self._folders.items():
            if name in read_ids(folder / ROWS):
                return step, self._thinned(step, name) or rows_named(folder / ROWS, [name])
            if rejected := [row for row in _rejected(folder) if row.id == name]:
                return step, rejected
        raise UsageError("no-such-row", "row-ids", row=name)

    def _thinned(self, step: str, name: str) -> list[Record]:
        """The rows as the filters left them; none where none passed, or no filter reads them."""
        stream = self.streams.get(step)
        return [] if stream is None else [row for row in stream if row.id == name]

    def passed(self, step: str, row: Record) -> set[str]:
        """The filters that a row of a step's stream passed; none where it did not pass all."""
        stream = self.streams.get(step)
        if stream is None or all(_place(each) != _place(row) for each in stream):
            return set()
        return {judged.step for judged in stream.judged}


class _Tracer:
    """Walks back from a row; a row that several were made from is told once."""

    def __init__(
        self,
        made: _MadeRows,
        lost: dict[str, list[RejectedRow]],
        reasons: RunReasons,
        project: Project,
    ) -> None:
        self._made = made
        self._lost = lost
        self._reasons = reasons
        self._ledger = project.ledger
        self._told: set[str] = set()

    def trace(self, name: str, depth: int) -> RowTrace:
        """The row, and what it was made from."""
        step, rows = self._made.rows(name)
        if name in self._told:
            return RowTrace(rows[0], step, seen=True)
        self._told.add(name)
        row, lost, equal = self._furthest(step, rows)
        keys = dict.fromkeys([*row.calls, *(key for each in lost for key in each.row.calls)])
        calls = [call for key in keys if (call := read_call(self._ledger, key))]
        trace = RowTrace(row, step, calls, lost, equal)
        trace.reasons = [self._reasons.of(each.step, each.reason) for each in lost]
        if depth < _DEEP and len(self._told) < _MOST:
            trace.parents = [self.trace(parent, depth + 1) for parent in row.parents]
        return trace

    def _furthest(
        self, step: str, rows: list[Record]
    ) -> tuple[Record, list[RejectedRow], list[RejectedRow]]:
        """Of equal rows one that was not lost, or else the first; its losses, and the others'."""
        lost = self._lost.get(rows[0].id, [])
        if not lost:
            return rows[0], [], []
        found = []
        for row in rows[:_MATCHES]:
            passed = self._made.passed(step, row)
            own = [each for each in lost if each.step not in passed and _is_of(each, row)]
            found.append((row, own, [each for each in lost if each not in own]))
        return min(found, key=lambda each: len(each[1]))


def _place(row: Record) -> tuple[str, str, tuple[str, ...]]:
    """What tells rows with the same columns apart, where anything does."""
    return row.id, row.origin, row.parents


def _is_of(lost: RejectedRow, row: Record) -> bool:
    """Whether a loss is told of this row, or of one that nothing tells apart from it."""
    return (lost.row.origin, lost.row.parents) == (row.origin, row.parents)


@dataclass(frozen=True)
class _Rows:
    """The rows that a step made and those that it rejected, as often as they are read."""

    folder: Path

    def __iter__(self) -> Iterator[Record]:
        yield from read_rows(self.folder / ROWS)
        yield from _rejected(self.folder)


def _rejected(folder: Path) -> Iterator[Record]:
    """The rows that a step rejected; a judge rejects none."""
    path = folder / REJECTS
    if path.exists():
        yield from (reject.record for reject in read_rejects(path))


def _losses(out: Path) -> dict[str, list[RejectedRow]]:
    """Rejects by row id."""
    losses: dict[str, list[RejectedRow]] = {}
    for lost in written_rejects(out):
        losses.setdefault(lost.row.id, []).append(lost)
    return losses
