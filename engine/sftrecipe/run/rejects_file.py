"""`rejects.jsonl`: every row that a run lost, with step, reason and value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from sftrecipe.run.execution import Execution
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.steps.step_files import REJECTS, advance_streams, judged_streams
from sftrecipe.store.rows import read_rejects
from sftrecipe.store.streams import Stream


def write_rejects(execution: Execution, *, whole: bool = True) -> int:
    """Write `rejects.jsonl`: every row that was lost, with step, reason and value; their number.

    Of a run that did not end (not `whole`), what the file says of steps that it did not come to
    stays.
    """
    count = 0
    with execution.folder.create(REJECTS_FILE) as file:
        for entry in rejects(execution):
            file.write(orjson.dumps(entry) + b"\n")
            count += 1
        if not whole:
            for line in _of_other_steps(execution):
                file.write(line)
                count += 1
    return count


def _of_other_steps(execution: Execution) -> Iterator[bytes]:
    """What `rejects.jsonl` says so far of steps that this run did not come to."""
    reached = {done.step.id for done in execution.done}
    if execution.broken:
        reached.add(execution.broken.step.id)
    try:
        file = (execution.out / REJECTS_FILE).open("rb")
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


def rejects(execution: Execution) -> Iterator[dict[str, Any]]:
    """Every row that was lost, in the order of the steps."""
    streams: dict[str, Stream] = {}
    for done in execution.done:
        step, folder = done.step, execution.store.path(done.step.key)
        if done.facts.rejected and (folder / REJECTS).exists():
            for record, reason, value in read_rejects(folder / REJECTS):
                yield _entry(step.id, reason, value, None, record._asdict())
        for _, judged in judged_streams(streams, step, folder):
            for row in judged.dropped():
                yield _entry(step.id, row.reason, row.value, row.detail, row.record._asdict())
        advance_streams(streams, step, folder)
    if execution.broken:
        for record, reason, value in read_rejects(execution.broken.rejects):
            yield _entry(execution.broken.step.id, reason, value, None, record._asdict())


def _entry(
    step: str, reason: str, value: float | str | None, detail: str | None, row: dict[str, Any]
) -> dict[str, Any]:
    return {"step": step, "reason": reason, "value": value, "detail": detail, "row": row}
