"""A run's folder, opened: what it says of itself, and the rows behind it that are still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sftrecipe.errors import UsageError
from sftrecipe.plan.steps import STORE_FORMAT
from sftrecipe.recipe.language.sections import MIXED
from sftrecipe.record import Record
from sftrecipe.report.pages.run.facts.secret_values import Scrub
from sftrecipe.run.run_file import read_run
from sftrecipe.run.run_record import RunRecord, StepRecord
from sftrecipe.run.steps.step_files import advance_streams
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project
from sftrecipe.store.streams import Stream

SAMPLE = 1000
"""Rows of the result that the page looks at."""


@dataclass
class OpenedRun:
    """What the sections of the report are made from."""

    out: Path
    run: RunRecord
    store: StepStore
    ledger: Path
    scrub: Scrub
    streams: dict[str, Stream] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    """Steps whose rows were deleted, or written in a form of the store that is no longer read."""
    replaced: list[str] = field(default_factory=list)
    """Steps that were executed again since, and hold something else by now."""

    @property
    def steps(self) -> Sequence[StepRecord]:
        """The steps that were done, in order."""
        return self.run.steps

    @property
    def document(self) -> Mapping[str, Any]:
        """The recipe as it was run, its environment variables not filled in."""
        return self.run.document

    def folder(self, step: StepRecord) -> Path:
        """Where a step's rows lie."""
        return self.store.path(step.key)

    @property
    def results(self) -> list[Stream]:
        """The streams that were exported; of a run that did not come so far, the furthest."""
        exported = [name for step in self._in("export") for name in step.reads]
        made = [step.id for step in self._in("generate")]
        read = {name for step in self._in("generate") for name in step.reads}
        ends = [name for name in made if name not in read]
        names = exported or ([MIXED] if self._in("mix") else ends or list(self.streams))
        return [self.streams[name] for name in dict.fromkeys(names) if name in self.streams]

    @cached_property
    def result_rows(self) -> int:
        """Rows of the result."""
        return sum(map(len, self.results))

    @cached_property
    def sample(self) -> list[Record]:
        """Rows from all over the result."""
        rows: list[Record] = []
        for stream in self.results:
            share = -(-SAMPLE * len(stream) // max(self.result_rows, 1))
            rows += stream.sampled(share)
        cleaned: list[Record] = self.scrub(rows[:SAMPLE])
        return cleaned

    def _in(self, section: str) -> list[StepRecord]:
        return [step for step in self.steps if step.section == section]


def open_run(out: Path, project: Project) -> OpenedRun:
    """The run in a folder. Raises UsageError where there is none."""
    run = read_run(out)
    if run is None:
        raise UsageError("no-run", "run-first", folder=str(out))
    return opened_run(out, run, project)


def opened_run(
    out: Path, run: RunRecord, project: Project, contents: Mapping[str, str] | None = None
) -> OpenedRun:
    """A run by its own word; `contents`: what its steps held then, where that is known."""
    scrub = Scrub(run.document)
    store = StepStore(project.steps)
    opened = OpenedRun(out, scrub(run), store, project.ledger, scrub)
    for step in opened.steps:
        _follow(opened, step, (contents or {}).get(step.id))
    return opened


def _follow(opened: OpenedRun, step: StepRecord, content: str | None) -> None:
    """Bring the streams behind a step; those that need files which are not there are left out."""
    readable = step.parts.get("store") == str(STORE_FORMAT) and opened.store.has(step.key)
    replaced = readable and content not in (None, opened.store.facts(step.key).content)
    if not readable or replaced:
        (opened.replaced if replaced else opened.gone).append(step.id)
        for name in step.thins:
            opened.streams.pop(name, None)
    elif all(name in opened.streams for name in step.thins):
        advance_streams(opened.streams, step, opened.folder(step))
