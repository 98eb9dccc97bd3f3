"""Exports: the data sets that they write, and those of earlier runs that are to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.plugin_kinds import DataSet, ExportContext, Exporter, PluginRefused
from sftrecipe.recipe.language.sections import SECTION_OF
from sftrecipe.record import Record
from sftrecipe.run.nothing_left import nothing_exported
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps.export_shares import Shares, drawn_rows, mix_missed
from sftrecipe.run.steps.step_files import REJECTS, ROWS, TellRows
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.atomic_files import explained, inside
from sftrecipe.store.file_hashes import FileHashes
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.step_facts import DataSetFacts, ExportFacts, StepFacts


class ExportStep(StepRunner):
    """Writes data sets into the output folder."""

    always_written = True

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Run the exporter; what it leaves out goes to the step's rejects, what it holds out to
        its rows."""
        plugin, rows, ctx = step.block.plugin, self.rows_of(step), self.context_of(step)
        assert isinstance(plugin, Exporter)  # noqa: S101 - the section's blocks are
        drawn, out = drawn_rows(self.run, step), self.run.out
        written = _Written(draft, plugin.holds_out(), Shares(drawn), self.teller_of(step))
        with closing(written):
            data_sets = self._data_sets(plugin, rows, ctx, written)
        facts = [_data_set_facts(each, out, self.run.store.hashes) for each in data_sets]
        _write_contents(facts, draft)
        lost = written.rejects.count
        return StepFacts(
            made=len(rows),
            kept=len(rows) - lost,
            rejected=lost,
            reasons=dict(written.reasons),
            counts=dict(ctx.counts),
            told=dict(ctx.told),
            export=ExportFacts(facts, written.shares.of_streams() if drawn else {}),
        )

    def _data_sets(
        self, plugin: Exporter, rows: Rows, ctx: Context, written: _Written
    ) -> Sequence[DataSet]:
        name, folder = self.run.plan.recipe.name, self.run.folder
        to = ExportContext(name, folder.folder, ctx, folder.create, written.reject, folder.claim)
        to.hold_out, to.write_more = written.hold_out, written.write_more
        try:
            return plugin.export(rows, to)
        except PluginRefused:
            if written.taken < len(rows):
                raise
            return ()  # nothing is left to train on: the engine tells why

    @staticmethod
    def stands(facts: StepFacts, out: Path, hashes: FileHashes) -> bool:
        """Whether every file that the export wrote is still there and holds what it held."""
        return all(_stands(each, out, hashes) for each in facts.data_sets)

    def took_place(self, step: Step, facts: StepFacts) -> None:
        """Note the data sets: trainings read them."""
        self.run.exported[step.id] = noted_data_sets(facts)

    def check_outcome(self, step: Step, facts: StepFacts) -> None:
        """Raises SftrecipeError where nothing was exported, or another mix than was drawn."""
        if lost := nothing_exported(self.run, step, facts) or mix_missed(self.run, step, facts):
            raise lost


class _Written:
    """What an exporter tells of the rows while it writes them."""

    def __init__(self, draft: Path, holds_out: bool, shares: Shares, tell: TellRows) -> None:
        self.rejects = RejectWriter(draft / REJECTS)
        self.reasons: Counter[str] = Counter()
        self.shares = shares
        self._held_out = RowWriter(draft / ROWS) if holds_out else None
        self._tell = tell

    @property
    def taken(self) -> int:
        """Rows that it does not write to train on."""
        return self.rejects.count + (self._held_out.count if self._held_out is not None else 0)

    def reject(self, record: Record, reason: str, value: float | str | None) -> None:
        """A row is left out."""
        self.reasons[reason] += 1
        self.shares.lost[record.stream] += 1
        self.rejects.write(Reject(record, reason, value))
        self._tell(0, self.rejects.count)

    def hold_out(self, record: Record) -> None:
        """A row is kept apart."""
        self.shares.held_out[record.stream] += 1
        if self._held_out is not None:
            self._held_out.write(record)

    def write_more(self, record: Record, count: int) -> None:
        """So many rows are written beside the first of one."""
        self.shares.more[record.stream] += count

    def close(self) -> None:
        """Finish the files."""
        self.rejects.close()
        if self._held_out is not None:
            self._held_out.close()


def _write_contents(data_sets: Sequence[DataSetFacts], draft: Path) -> None:
    """Leave what the files hold in the step: what is trained on them stands as long as they do."""
    contents: dict[str, object] = {}
    for each in data_sets:
        contents |= each.contents
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


def _stands(data_set: DataSetFacts, out: Path, hashes: FileHashes) -> bool:
    states, contents = data_set.files, data_set.contents
    if any(not (out / file).exists() for file in states):
        return False
    try:
        return all(
            hashes.of(out / file) == contents[file]
            if file in contents  # earlier versions noted none
            else file_state(out / file) == state
            for file, state in states.items()
        )
    except SftrecipeError:  # another run of the recipe takes it away, or writes it, just now
        return False


def file_state(path: Path) -> list[int] | None:
    """Size and time of the last change; None where there is no such file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return [stat.st_size, stat.st_mtime_ns]


def outdated_data_sets(before: RunRecord, run: RunState) -> list[DataSetFacts]:
    """The data sets of the run before, and of those before it that did not end, which are not
    among those of this run. Those of another recipe that shares the folder are not its business.

    Left there, rows that were held out once would be found beside data that holds them again.
    """
    if before.name != run.plan.recipe.name:
        return []
    names = {data_set.name for data_set in run.data_sets}
    exports = [step for step in before.steps if step.section == SECTION_OF["exporter"].name]
    exported = [each for step in exports for each in step.facts.data_sets]
    found = {each.name: each for each in (*(before.outdated or ()), *exported)}
    return [each for name, each in found.items() if name not in names]


def remove_outdated(data_sets: list[DataSetFacts], run: RunState) -> None:
    """Delete their files. One that somebody changed since, or that this run wrote, stays."""
    written = {file for data_set in run.data_sets for file in data_set.files}
    for data_set in data_sets:
        for name, state in data_set.files.items():
            path = inside(run.out, name)
            if name not in written and state is not None and file_state(path) == state:
                with explained(path):
                    path.unlink(missing_ok=True)
