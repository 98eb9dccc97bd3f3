"""Executing the exports: data sets, their catalogue entries, the trainer's configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.kinds import DataSet, ExportContext, Exporter, PluginRefused
from sftrecipe.record import Record
from sftrecipe.run.making import REJECTS, ROWS, Advance
from sftrecipe.store.atomic_files import create
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.steps import StepFacts


@dataclass(frozen=True)
class ExportTarget:
    """Where an exporter writes, and under which name."""

    name: str
    out: Path
    ctx: Context


def export(
    plugin: Exporter, rows: Rows, to: ExportTarget, draft: Path, advance: Advance
) -> StepFacts:
    """Run an exporter into the output folder; what it leaves out goes to the step's rejects, what
    it holds out to its rows."""
    reasons: Counter[str] = Counter()
    rejects = RejectWriter(draft / REJECTS)
    held_out = RowWriter(draft / ROWS) if plugin.holds_out() else None

    def reject(record: Record, reason: str, value: float | str | None) -> None:
        reasons[reason] += 1
        rejects.write(Reject(record, reason, value))
        advance(0, rejects.count)

    try:
        create_there = partial(create, to.out)
        context = ExportContext(to.name, to.out, to.ctx, create_there, reject)
        if held_out is not None:
            context.hold_out = held_out.write
        data_sets = plugin.export(rows, context)
    except PluginRefused:
        if rejects.count + (held_out.count if held_out is not None else 0) < len(rows):
            raise
        data_sets = ()  # nothing is left to train on: the engine tells why
    finally:
        rejects.close()
        if held_out is not None:
            held_out.close()
    _write_contents(data_sets, to.out, draft)
    made = len(rows)
    return StepFacts(
        made=made,
        kept=made - rejects.count,
        rejected=rejects.count,
        reasons=dict(reasons),
        counts=dict(to.ctx.counts),
        notes={"data_sets": [_noted(data_set, to.out) for data_set in data_sets]},
    )


def _write_contents(data_sets: Sequence[DataSet], out: Path, draft: Path) -> None:
    """Hashes of the files: what is trained on them stands as long as they do."""
    hashes = {}
    for name in sorted(file for data_set in data_sets for file in data_set.files):
        with (out / name).open("rb") as file:
            hashes[name] = file_digest(file, "blake2b").hexdigest()
    (draft / "data_sets.json").write_bytes(orjson.dumps(hashes))


def _noted(data_set: DataSet, out: Path) -> dict[str, Any]:
    """A data set as `run.json` and the step's facts tell it."""
    return {
        "name": data_set.name,
        "rows": data_set.rows,
        "role": data_set.role,
        "entry": data_set.entry,
        "files": {file: file_state(out / file) for file in data_set.files},
    }


def noted_data_sets(facts: StepFacts) -> list[DataSet]:
    """The data sets that an export wrote, from its facts."""
    return [
        DataSet(noted["name"], tuple(noted["files"]), noted["rows"], noted["entry"], noted["role"])
        for noted in facts.notes["data_sets"]
    ]


def files_stand(facts: StepFacts, out: Path) -> bool:
    """Whether every file that the export wrote is still there as it was."""
    return all(
        file_state(out / file) == state
        for noted in facts.notes["data_sets"]
        for file, state in noted["files"].items()
    )


def file_state(path: Path) -> list[int] | None:
    """Size and time of the last change; None where there is no such file."""
    if not path.exists():
        return None
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
