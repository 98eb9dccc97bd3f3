"""Executing the exports: data sets, their catalogue entries, the trainer's configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.plugin_kinds import DataSet, ExportContext, Exporter, PluginRefused
from sftrecipe.record import Record
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.steps.export_shares import Shares
from sftrecipe.run.steps.step_files import REJECTS, ROWS, TellRows
from sftrecipe.store.file_hashes import FileHashes
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.step_facts import DataSetFacts, ExportFacts, StepFacts


@dataclass(frozen=True)
class ExportTarget:
    """Where an exporter writes, and under which name."""

    name: str
    folder: OutputFolder
    hashes: FileHashes
    ctx: Context
    drawn: Mapping[str, int] = field(default_factory=dict)
    """Rows of every stream of the mix that is exported."""


def export(
    plugin: Exporter, rows: Rows, to: ExportTarget, draft: Path, tell: TellRows
) -> StepFacts:
    """Run an exporter into the output folder; what it leaves out goes to the step's rejects, what
    it holds out to its rows."""
    out, reasons, shares = to.folder.folder, Counter[str](), Shares(to.drawn)
    rejects = RejectWriter(draft / REJECTS)
    held_out = RowWriter(draft / ROWS) if plugin.holds_out() else None

    def reject(record: Record, reason: str, value: float | str | None) -> None:
        reasons[reason] += 1
        shares.lost[record.stream] += 1
        rejects.write(Reject(record, reason, value))
        tell(0, rejects.count)

    def hold_out(record: Record) -> None:
        shares.held_out[record.stream] += 1
        if held_out is not None:
            held_out.write(record)

    def write_more(record: Record, count: int) -> None:
        shares.more[record.stream] += count

    try:
        context = ExportContext(to.name, out, to.ctx, to.folder.create, reject, to.folder.claim)
        context.hold_out, context.write_more = hold_out, write_more
        data_sets = plugin.export(rows, context)
    except PluginRefused:
        if rejects.count + (held_out.count if held_out is not None else 0) < len(rows):
            raise
        data_sets = ()  # nothing is left to train on: the engine tells why
    finally:
        rejects.close()
        if held_out is not None:
            held_out.close()
    facts = [_data_set_facts(each, out, to.hashes) for each in data_sets]
    _write_contents(facts, draft)
    return StepFacts(
        made=len(rows),
        kept=len(rows) - rejects.count,
        rejected=rejects.count,
        reasons=dict(reasons),
        counts=dict(to.ctx.counts),
        told=dict(to.ctx.told),
        export=ExportFacts(facts, shares.of_streams() if to.drawn else {}),
    )


def _write_contents(data_sets: Sequence[DataSetFacts], draft: Path) -> None:
    """Leave what the files hold in the step: what is trained on them stands as long as they do."""
    contents: dict[str, object] = {
        file: held for each in data_sets for file, held in each.contents.items()
    }
    # Equal rows may want another training; what every training does by itself was never noted.
    for each in data_sets:
        if wanted := {name: value for name, value in each.needs.items() if value}:
            contents[f"needs of {each.name}"] = wanted
    (draft / "data_sets.json").write_bytes(orjson.dumps(contents, option=orjson.OPT_SORT_KEYS))


def _data_set_facts(data_set: DataSet, out: Path, hashes: FileHashes) -> DataSetFacts:
    return DataSetFacts(
        name=data_set.name,
        rows=data_set.rows,
        role=data_set.role,
        entry=data_set.entry,
        kind=data_set.kind,
        files={file: file_state(out / file) for file in data_set.files},
        contents={file: hashes.of(out / file) for file in data_set.files},
        needs=dict(data_set.needs),
    )


def noted_data_sets(facts: StepFacts) -> list[DataSet]:
    """The data sets that an export wrote, from its facts."""
    return [each.data_set() for each in facts.data_sets]


def files_stand(facts: StepFacts, out: Path, hashes: FileHashes) -> bool:
    """Whether every file that the export wrote is still there and holds what it held."""
    return all(_stands(each, out, hashes) for each in facts.data_sets)


def _stands(data_set: DataSetFacts, out: Path, hashes: FileHashes) -> bool:
    states, contents = data_set.files, data_set.contents
    if any(not (out / file).exists() for file in states):
        return False
    return all(
        hashes.of(out / file) == contents[file]
        if file in contents  # earlier versions noted none
        else file_state(out / file) == state
        for file, state in states.items()
    )


def file_state(path: Path) -> list[int] | None:
    """Size and time of the last change; None where there is no such file."""
    if not path.exists():
        return None
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
