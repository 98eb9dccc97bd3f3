"""What a step makes of one row, and how that is written down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.plugin_kinds import RowFilter, RowGenerator, Verdict
from sftrecipe.plugin.shown_media import work_on
from sftrecipe.record import Record
from sftrecipe.run.steps.step_files import GivenVerdicts, MadeRows, TellRows, verdict_facts
from sftrecipe.store.judged_row import judged_row
from sftrecipe.store.rows import as_read, stored
from sftrecipe.store.step_facts import StepFacts


class Passage(NamedTuple):
    """A row's way through one step."""

    left: Any
    """What the step's own files take of it."""
    onward: Sequence[Record]
    """The rows that go on, as the steps after it read them."""


class RowWork(ABC):
    """A step's work, row by row."""

    asks = True
    """Whether a row may wait for replies; others are at work meanwhile."""

    def __init__(self, step: Step, ctx: Context, draft: Path, tell: TellRows) -> None:
        self.step = step
        self.ctx = ctx
        self.draft = draft
        self.tell = tell

    @abstractmethod
    async def passed(self, row: Record) -> Passage:
        """The row's way through. Raises what the plugin raises."""

    @abstractmethod
    def take(self, left: Any) -> None:
        """Write down what became of a row; in the rows' order."""

    @abstractmethod
    def close(self) -> None:
        """Write what is held."""

    @abstractmethod
    def facts(self) -> StepFacts:
        """What came of all rows."""


class GeneratedRows(RowWork):
    """A generator that makes rows out of one."""

    def __init__(self, step: Step, ctx: Context, draft: Path, tell: TellRows) -> None:
        super().__init__(step, ctx, draft, tell)
        self._made = MadeRows(draft)

    async def passed(self, row: Record) -> Passage:
        """What it makes of the row."""
        plugin = self.step.block.plugin
        assert isinstance(plugin, RowGenerator)  # noqa: S101 - `row_work` saw to it
        work_on(row)
        items = await plugin.made_of(row, self.ctx)
        left = [stored(item) if isinstance(item, Record) else item for item in items]
        onward = [
            as_read(values)
            for values, item in zip(left, items, strict=True)
            if isinstance(item, Record)
        ]
        return Passage(left, onward)

    def take(self, left: Any) -> None:
        """Write what was made of a row."""
        for item in left:
            self._made.take(item)
        self.tell(self._made.rows.count, self._made.rejects.count)

    def close(self) -> None:
        """Write what is held."""
        self._made.close()

    def facts(self) -> StepFacts:
        """What came of all rows."""
        return self._made.facts(self.ctx)


class AskedVerdicts(RowWork):
    """A filter that may ask models for its verdict on a row."""

    def __init__(self, step: Step, ctx: Context, draft: Path, tell: TellRows) -> None:
        super().__init__(step, ctx, draft, tell)
        self._given = GivenVerdicts(draft, 0)

    async def passed(self, row: Record) -> Passage:
        """The verdict."""
        plugin = self.step.block.plugin
        assert isinstance(plugin, RowFilter)  # noqa: S101 - `row_work` saw to it
        work_on(row)
        return self._passage(row, await plugin.verdict_on(row, self.ctx))

    def _passage(self, row: Record, verdict: Verdict) -> Passage:
        onward = (judged_row(row, self.step.id, verdict),) if verdict.keep else ()
        return Passage(verdict, onward)

    def take(self, left: Any) -> None:
        """Write the verdict on a row."""
        self._given.take(left)
        written = self._given.writer
        self.tell(written.kept, written.count - written.kept)

    def close(self) -> None:
        """Write what is held."""
        self._given.close()

    def facts(self) -> StepFacts:
        """What came of all rows."""
        return verdict_facts([self._given], self.ctx)


class PlainVerdicts(AskedVerdicts):
    """A filter that looks at a row and says at once."""

    asks = False

    def __init__(self, step: Step, ctx: Context, draft: Path, tell: TellRows) -> None:
        super().__init__(step, ctx, draft, tell)
        plugin = step.block.plugin
        assert isinstance(plugin, RowFilter)  # noqa: S101 - `row_work` saw to it
        self._row: Record | None = None
        self._verdicts = plugin.judge(_Handed(self), ctx)

    async def passed(self, row: Record) -> Passage:
        """The verdict."""
        return self.passed_at_once(row)

    def passed_at_once(self, row: Record) -> Passage:
        """The verdict. Raises SftrecipeError where it does not follow."""
        self._row = row
        verdict = next(self._verdicts, None)  # type: ignore[arg-type]
        if verdict is None or self._row is not None:
            raise SftrecipeError("verdict-count", step=self.step.id)
        return self._passage(row, verdict)

    def handed(self) -> Record:
        """The row to judge next. Raises SftrecipeError where a verdict is due."""
        row, self._row = self._row, None
        if row is None:
            raise SftrecipeError("verdict-count", step=self.step.id)
        return row


class _Handed:
    """Rows that are handed to a filter one by one."""

    def __init__(self, work: PlainVerdicts) -> None:
        self._work = work

    def __iter__(self) -> Iterator[Record]:
        while True:
            yield self._work.handed()

    def __len__(self) -> int:
        raise TypeError("a filter of rows looks at one row")

    def ids(self) -> Iterator[str]:
        return (row.id for row in self)


def row_work(step: Step) -> type[RowWork] | None:
    """How a step works row by row; None where it may look at all rows, or reads several streams."""
    plugin = step.block.plugin
    if len(step.reads) != 1:
        return None
    if isinstance(plugin, RowGenerator) and type(plugin).generate is RowGenerator.generate:
        return GeneratedRows
    if isinstance(plugin, RowFilter):
        if not iscoroutinefunction(type(plugin).judge_row):
            return PlainVerdicts
        if type(plugin).judge is RowFilter.judge:
            return AskedVerdicts
    return None
