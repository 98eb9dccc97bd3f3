"""A run that has ended, as Python programs and notebooks look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sftrecipe.api.found_run import found_run, project_of_run
from sftrecipe.api.told_errors import told_errors
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import UsageError, unknown
from sftrecipe.recipe.language.sections import MIXED
from sftrecipe.record import Record
from sftrecipe.report.text.explanation_text import explanation_text
from sftrecipe.run.output_folder import REPORT_FILE
from sftrecipe.run.rejects_file import RejectedRow, written_rejects
from sftrecipe.run.row_search import FoundRow
from sftrecipe.run.row_trace import RowTrace, find_rows, trace_row
from sftrecipe.run.run_file import latest_run, readable
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project, project_around
from sftrecipe.store.streams import Stream

if TYPE_CHECKING:
    from sftrecipe.report.pages.run.facts.run_facts import RunFacts
    from sftrecipe.run.run_plan import Outcome


class Run:
    """What a run left: its rows, what it lost and why, what it cost, its report."""

    def __init__(self, out: Path, record: RunRecord, project: Project) -> None:
        self.out = out
        """The output folder."""
        self.record = record
        """All that the run says of itself."""
        self.usage = record.usage or Usage()
        """Calls, tokens and cost of the run that this was executed by."""
        self.notices: Sequence[str] = ()
        """What was to be known before it began, where it was executed by this program."""
        self._project = project

    @classmethod
    def open(cls, run: str | os.PathLike[str] | None = None) -> Self:
        """A run by its folder, its recipe, or its name under `runs/`; the latest where none is
        named.

        Raises UsageError where there is none, RecipeError when a recipe cannot be read.
        """
        with told_errors():
            if run is None:
                run = latest_run(project_around().folder / "runs")
            out, record = found_run(os.fspath(run))
            return cls(out, record, project_of_run(out, record))

    @classmethod
    def of(cls, outcome: Outcome, project: Project, notices: Sequence[str] = ()) -> Self:
        """The run that came to this."""
        _, record = found_run(str(outcome.out))
        run = cls(outcome.out, record, project)
        run.usage, run.notices = outcome.usage, notices
        return run

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.record.name

    @property
    def status(self) -> str:
        """`done`, `paused` at a budget, `failed` or `stopped`."""
        return self.record.status

    @property
    def cost(self) -> tuple[float, str] | None:
        """What the run paid, with the currency; None where nothing asked has a price."""
        return (self.usage.cost, self.usage.currency) if self.usage.currency else None

    @property
    def streams(self) -> Mapping[str, int]:
        """Rows by stream, sources and the mix among them, after all filters."""
        with told_errors():
            return {name: len(stream) for name, stream in self._streams.items()}

    @property
    def data_sets(self) -> Mapping[str, Sequence[Path]]:
        """The files of what was exported, by name of the data set."""
        return {
            each.name: [self.out / file for file in each.files] for each in self.record.data_sets
        }

    @property
    def metrics(self) -> Mapping[str, Mapping[str, float]]:
        """Figures of trainings and judges, by step."""
        steps = self.record.steps
        return {each.id: each.facts.metrics for each in steps if each.facts.metrics}

    def records(self, stream: str | None = None) -> Iterator[Record]:
        """The rows of a stream with ids, origins, parents, scores and tags, one after the other.

        Left out: the mix, where there is one, else the stream that was exported.
        """
        with told_errors():
            return iter(self._stream(stream))

    def rows(self, stream: str | None = None) -> Iterator[dict[str, Any]]:
        """The columns of a stream's rows, one row after the other; they are not held in memory."""
        return (dict(record.columns) for record in self.records(stream))

    def rejects(self, step: str | None = None) -> Iterator[RejectedRow]:
        """The rows that were lost, each with step, reason and measured value; of one step where it
        is named. Raises UsageError where the run has no such step."""
        with told_errors(), readable(self.out):
            steps = [each.id for each in self.record.steps]
            if step is not None and step not in steps:
                problem = unknown("no-such-step", None, step, steps, step=step, run=self.name)
                raise UsageError.of(problem)
            for each in written_rejects(self.out):
                if step is None or each.step == step:
                    yield each

    def to_pandas(self, stream: str | None = None) -> Any:
        """A stream as a pandas.DataFrame, with the rows' ids as its index.

        Raises UsageError where pandas is not installed.
        """
        from sftrecipe.api.row_tables import data_frame  # noqa: PLC0415 - when it is asked for

        with told_errors():
            return data_frame(self._stream(stream))

    def to_dataset(self, stream: str | None = None) -> Any:
        """A stream as a datasets.Dataset. Raises UsageError where that is not installed, or a
        column holds values of different kinds."""
        from sftrecipe.api.row_tables import dataset  # noqa: PLC0415

        with told_errors():
            return dataset(self._stream(stream))

    def find(self, words: str) -> list[FoundRow]:
        """The rows that hold the words, each with its id, its step and where they stand; also of
        the beginning of an id, or of a line of an exported file (`FILE:LINE`).

        Raises UsageError where there is none.
        """
        _check_text(words=words)
        with told_errors(), readable(self.out):
            return find_rows(words, self.out, self._project)

    def explain(self, row: str) -> Explanation:
        """Walk back from a row to its seeds, prompts, replies, scores and models.

        `row` is a row's id, the beginning of one, or a text that it holds. Raises UsageError where
        there is no such row, or several.
        """
        _check_text(row=row)
        with told_errors(), readable(self.out):
            return Explanation(trace_row(row, self.out, self._project))

    @property
    def report(self) -> ReportPage:
        """The run's page, written where it is not there; a notebook shows it."""
        page = self.out / REPORT_FILE
        return ReportPage(page) if page.exists() else self.write_report()

    def write_report(
        self, file: str | os.PathLike[str] | None = None, *, language: str | None = None
    ) -> ReportPage:
        """Write the run's page anew, into its folder or into `file`; in the recipe's language
        unless one is given. Raises SftrecipeError."""
        from sftrecipe.report.pages.run.run_page import write_report  # noqa: PLC0415

        page = Path(file) if file is not None else self.out / REPORT_FILE
        with told_errors(), readable(self.out):
            facts = write_report(self.out, self._project, language, page)
        return ReportPage(page, facts)

    @cached_property
    def _streams(self) -> dict[str, Stream]:
        """The streams. Raises UsageError where rows of one were deleted since."""
        store = StepStore(self._project.steps)
        if not all(store.has(step.key) for step in self.record.steps):
            values = {"folder": str(self.out), "steps": str(self._project.steps)}
            raise UsageError("steps-gone", "make-again", **values)
        return self.record.streams(store)

    def _stream(self, name: str | None) -> Stream:
        asked = name or self._main_stream()
        if asked not in self._streams:
            known = list(self._streams)
            problem = unknown("no-such-stream", None, asked, known, stream=asked, run=self.name)
            raise UsageError.of(problem)
        return self._streams[asked]

    def _main_stream(self) -> str:
        """The stream that is meant where none is named. Raises UsageError."""
        if MIXED in self._streams:
            return MIXED
        read = (step.reads for step in self.record.steps if step.section == "export")
        names = {name for reads in read for name in reads} or set(self._streams)
        if len(names) != 1:
            known = ", ".join(self._streams)
            raise UsageError("which-stream", "known", run=self.name, known=known)
        return names.pop()

    def __repr__(self) -> str:
        try:
            counts = ", ".join(f"{name} {count}" for name, count in self.streams.items())
        except UsageError:
            counts = "rows gone"
        return f"Run({self.name}: {self.status}; {counts}; {self.out})"


def _check_text(**given: object) -> None:
    """Raises TypeError for what is no text: a run is not damaged by what it is asked."""
    for name, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"{name}: a text, not {type(value).__name__}")


@dataclass(frozen=True, repr=False)
class Explanation:
    """Why a row is as it is; shows itself as `explain` prints it."""

    trace: RowTrace

    @property
    def row(self) -> Record:
        """The row."""
        return self.trace.row

    @property
    def lost(self) -> Sequence[RejectedRow]:
        """Where it was rejected, and why."""
        return self.trace.lost

    def __repr__(self) -> str:
        return explanation_text(self.trace)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


@dataclass(frozen=True)
class ReportPage:
    """A report's page: a path, which a notebook shows."""

    path: Path
    facts: RunFacts | None = field(default=None, repr=False)
    """What it tells, where it was written just now."""

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        page = escape(self.path.read_text("utf-8"), quote=True)
        style = "width: 100%; height: 40em; border: 1px solid #ccc"
        return f'<iframe srcdoc="{page}" style="{style}" sandbox></iframe>'
