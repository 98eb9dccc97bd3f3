"""`rejects.jsonl`: every row that a run lost, with step, reason and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from sftrecipe.record import Record
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps.step_files import REJECTS, advance_streams, judged_streams
from sftrecipe.store.rows import read_rejects
from sftrecipe.store.streams import Stream


@dataclass(frozen=True)
class RejectedRow:
    """A row that a step lost."""

    step: str
    reason: str
    value: float | str | None
    """What was measured."""
    detail: str | None
    row: Record

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it. Raises LookupError, TypeError where it is no rejected row."""
        row = Record(**found["row"])
        row = row._replace(parents=tuple(row.parents), calls=tuple(row.calls))
        return cls(found["step"], found["reason"], found["value"], found["detail"], row)

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {**self.loss(), "row": self.row._asdict()}

    def loss(self) -> dict[str, Any]:
        """Why it was lost, as plain data."""
        names = ("step", "reason", "value", "detail")
        return {name: getattr(self, name) for name in names}


def written_rejects(out: Path) -> Iterator[RejectedRow]:
    """The rejects of a run's output folder; none where it has no such file."""
    path = out / REJECTS_FILE
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                yield RejectedRow.from_json(orjson.loads(line))


def write_rejects(run: RunState, *, whole: bool = True) -> int:
    """Write `rejects.jsonl`: every row that was lost, with step, reason and value; their number.

    Of a run that did not end (not `whole`), what the file says of steps that it did not come to
    stays.
    """
    count = 0
    with run.folder.create(REJECTS_FILE) as file:
        for entry in rejects(run):
            file.write(orjson.dumps(entry.as_json()) + b"\n")
            count += 1
        if not whole:
            for line in _of_other_steps(run):
                file.write(line)
                count += 1
    return count


def _of_other_steps(run: RunState) -> Iterator[bytes]:
    """What `rejects.jsonl` says so far of steps that this run did not come to."""
    reached = {done.step.id for done in run.done}
    reached.update(broken.step.id for broken in run.broken)
    try:
        file = (run.out / REJECTS_FILE).open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if line.endswith(b"\n") and _step_of(line) not in reached:
                yield line


def _step_of(line: bytes) -> str | None:
    try:
        return str(orjson.loads(line)["step"])
    except (orjson.JSONDecodeError, TypeError, LookupError):
        return None


def rejects(run: RunState) -> Iterator[RejectedRow]:
    """Every row that was lost, in the order of the steps."""
    streams: dict[str, Stream] = {}
    for done in run.done:
        step, folder = done.step, run.store.path(done.step.key)
        if done.facts.rejected and (folder / REJECTS).exists():
            for record, reason, value in read_rejects(folder / REJECTS):
                yield RejectedRow(step.id, reason, value, None, record)
        for _, judged in judged_streams(streams, step, folder):
            for row in judged.dropped():
                yield RejectedRow(step.id, row.reason, row.value, row.detail, row.record)
        advance_streams(streams, step, folder)
    for broken in run.broken:
        for record, reason, value in read_rejects(broken.rejects):
            yield RejectedRow(broken.step.id, reason, value, None, record)
