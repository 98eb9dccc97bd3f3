"""The kinds of plugins that read, make, thin, mix and write rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Gt

from sftrecipe.plugin.base import Inputs, OptionFiles, Plugin
from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.option_types import LaterMarker
from sftrecipe.plugin.provider import CallFailed
from sftrecipe.plugin.row_kinds import RowCheck, RowKind
from sftrecipe.record import Record

Scope = Literal["row", "global"]
"""Whether a plugin looks at one row (streams, runs concurrently, ships to other processes) or at
all of them."""


UNNAMED = "unnamed_"
"""How the counters of sources begin of columns that they leave out, since nobody named them."""
_REPAIRS: Mapping[bool | None, object] = {None: True, True: "every row", False: False}


class Source(Plugin):
    """Where rows come from. Options stand beside `use`."""

    kind: ClassVar[str] = "source"

    map: dict[str, str] = {}
    """New column name → column name in the source; unnamed columns keep their names."""
    sample: Annotated[int, Gt(0)] | None = None
    """Take so many rows, drawn by the recipe's seed; all where it is left out."""
    repair: bool | None = None
    """Repair text that was read in a wrong encoding (mojibake). `true`: in every row that looks so;
    `false`: in none; left out: in a file that is damaged as a whole."""
    leave_out: Annotated[tuple[str, ...], LaterMarker()] = ()
    """Keys of chat turns to pass over, such as `language`: a row with one that nobody reads is
    rejected."""

    @abstractmethod
    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The rows, one by one; a bad row is a Reject with file, line and reason.

        The engine renames (`map`), repairs and samples what this gives.
        """

    def identity(self) -> dict[str, object]:
        """The options that decide the result; `repair` left out is what it always was."""
        return super().identity() | {"repair": _REPAIRS[self.repair]}

    def depends_on(self, files: OptionFiles, folder: Path) -> Sequence[Path | str]:
        """What it reads beside the files that its options name; `folder` is the recipe's.

        A file's content is part of the step's key, a text is so itself.
        """
        return ()

    def looks_into(self, files: OptionFiles, folder: Path) -> Sequence[Path]:
        """Files that it reads besides without all they hold being part of the key: they must not
        be touched while it reads.
        """
        return ()

    def peek(self, ctx: Context) -> Inputs:
        """Column names, from the first rows; None where that takes heavy imports or a network."""
        rows = [row for row in islice(self.read(ctx), 20) if isinstance(row, Record)]
        return frozenset(name for row in rows for name in row.columns) if rows else None


class Expected(NamedTuple):
    """What a step will do, as (at least, at most); at most None: not known."""

    calls: tuple[int, int | None]
    rows: tuple[int, int | None]
    likely: bool = False
    """Whether more rows than the most may come: it is what a model is asked for, not a bound."""
    carried: int | None = None
    """Earlier replies whose text a prompt holds at most; None: all that came before in its
    conversation."""


class Generator(Plugin):
    """Makes rows out of rows, all of which it sees: pools that grow, rounds, samplers."""

    kind: ClassVar[str] = "generator"
    scope: ClassVar[Scope] = "global"

    @abstractmethod
    def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """Rows and rejects, in an order that does not depend on when replies arrive."""

    def columns(self, inputs: Inputs) -> Inputs:
        """Column names of the rows it makes, where the options tell them."""
        return None

    def expected(self, least: int, most: int | None) -> Expected:
        """Calls and rows to expect of so many input rows; for `plan`.

        Rows for which it asks nothing are not among them, where `plan` can tell.
        """
        return Expected((0, None), (0, None))


class RowGenerator(Generator):
    """Makes rows out of one row. The engine runs many at the same time and keeps their order."""

    scope: ClassVar[Scope] = "row"

    @abstractmethod
    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """What comes of one row; a CallFailed that it raises rejects the row."""

    def expected(self, least: int, most: int | None) -> Expected:
        """One call and one row each."""
        return Expected((least, most) if self.required() else (0, 0), (0, most))

    async def made_of(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """What comes of one row, never nothing: a reject where its call failed."""
        try:
            made = await self.generate_row(row, ctx)
        except CallFailed as failure:
            asked = (*row.calls, failure.key) if failure.key else row.calls
            return (Reject(row._replace(calls=asked), failure.reason, failure.message),)
        return made or (Reject(row, "nothing_made"),)

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """Every row's, in order."""
        async for _, made in ctx.map(lambda row: self.made_of(row, ctx), rows):
            assert not isinstance(made, CallFailed)  # noqa: S101 - a reject was made of it
            for item in made:
                yield item


class Verdict(NamedTuple):
    """What a filter says of a row."""

    keep: bool
    reason: str = ""
    """Why not: a short name. Of a row that stays it counts where the row is `untagged`."""
    value: float | None = None
    """What was measured; a kept row keeps it as the score named after the block's id."""
    detail: str = ""
    """More of the why: the row that it repeats, the text that matched."""
    scores: Mapping[str, float] = {}
    """More scores for the row."""
    changes: Mapping[str, Any] = {}
    """Columns of a kept row to replace (masking)."""
    calls: tuple[str, ...] = ()
    """Ledger keys of the replies that it rests on."""
    tags: Mapping[str, str] = {}
    """More tags for a kept row."""
    untagged: bool = False
    """Whether a row that stays could not be judged, for the reason: such rows are counted and told,
    and `--retry-failed` asks again where it is a call's failure."""


KEEP = Verdict(True)
"""The verdict on a row that stays, where nothing was measured."""


class Filter(Plugin):
    """Thins rows, all of which it sees: dedup, novelty, top-k."""

    kind: ClassVar[str] = "filter"
    scope: ClassVar[Scope] = "global"

    @abstractmethod
    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict] | AsyncIterator[Verdict]:
        """One verdict a row, in the rows' order."""

    def expected(self, least: int, most: int | None) -> Expected:
        """Calls and rows to expect of so many input rows; for `plan`."""
        return Expected((0, None) if self.required() else (0, 0), (0, most))


class RowFilter(Filter):
    """Judges one row by itself; `judge_row` may be `async` and ask models."""

    scope: ClassVar[Scope] = "row"

    @abstractmethod
    def judge_row(self, row: Record, ctx: Context) -> Verdict | Awaitable[Verdict]:
        """The verdict on one row; a CallFailed that it raises rejects the row."""

    def expected(self, least: int, most: int | None) -> Expected:
        """One call each, where it asks."""
        asks = self.required() and iscoroutinefunction(type(self).judge_row)
        return Expected((least, most) if asks else (0, 0), (0, most))

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict] | AsyncIterator[Verdict]:
        """Every row's, in order."""
        if iscoroutinefunction(type(self).judge_row):
            return self._judge_async(rows, ctx)
        judge_row: Callable[[Record, Context], Verdict] = self.judge_row  # type: ignore[assignment]
        return (judge_row(row, ctx) for row in rows)

    async def verdict_on(self, row: Record, ctx: Context) -> Verdict:
        """The verdict of an `async` judge_row: not kept where its call failed."""
        try:
            verdict: Verdict = await self.judge_row(row, ctx)  # type: ignore[misc]
        except CallFailed as failure:
            calls = (failure.key,) if failure.key else ()
            return Verdict(False, failure.reason, detail=failure.message, calls=calls)
        return verdict

    async def _judge_async(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        async for _, verdict in ctx.map(lambda row: self.verdict_on(row, ctx), rows):
            assert not isinstance(verdict, CallFailed)  # noqa: S101 - a verdict was made of it
            yield verdict


class Pick(NamedTuple):
    """One row of the mix."""

    stream: str
    row: int
    """Its place in the stream, from 0."""


@dataclass(frozen=True)
class Mix:
    """A mixer's decision."""

    picks: Sequence[Pick]
    """In the order of the mixed set."""
    notes: Mapping[str, object] = field(default_factory=dict)
    """Asked and realised ratios, shortages: for the report."""


class Mixer(Plugin):
    """Draws from streams and sources. Options stand beside `use`."""

    kind: ClassVar[str] = "mixer"

    @abstractmethod
    def wanted(self) -> Mapping[str, float]:
        """The streams that it draws from, with their weights."""

    @abstractmethod
    def mix(self, streams: Mapping[str, Rows], ctx: Context) -> Mix:
        """Which rows, in which order.

        Raises PluginRefused when the streams cannot give what is asked.
        """

    def expected(self, rows: Mapping[str, tuple[int, int | None]]) -> tuple[int, int | None]:
        """Rows that it draws, at least and at most, of streams with so many each; for `plan`."""
        most = [each for _, each in rows.values() if each is not None]
        return 0, sum(most) if len(most) == len(rows) else None

    def expected_of(
        self, rows: Mapping[str, tuple[int, int | None]], seen: Mapping[str, Sequence[Record]]
    ) -> tuple[int, int | None]:
        """The same, where rows of every stream are seen, all of them or some that are like them."""
        return self.expected(rows)


class PluginRefused(Exception):
    """A plugin cannot do what its options ask of these rows; the run fails with the message, which
    may be a `Text`."""


@dataclass(frozen=True)
class DataSet:
    """A data set that an exporter wrote."""

    name: str
    files: tuple[str, ...]
    """Relative to the output folder."""
    rows: int
    entry: Mapping[str, Any] | None = None
    """Its `dataset_info.json` entry; None: not registered."""
    role: Literal["train", "holdout"] = "train"
    needs: Mapping[str, Any] = field(default_factory=dict)
    """Arguments without which a training learns something else from it: `mask_history`."""
    kind: RowKind | None = None
    """What its rows teach; None: each what it is."""


@dataclass
class ExportContext:
    """What an exporter is given beside the rows."""

    name: str
    """The recipe's name: data sets are named after it."""
    folder: Path
    """The run's output folder."""
    context: Context
    create: Callable[[str], AbstractContextManager[IO[bytes]]]
    """Open a file of the output folder for writing; it appears, whole, when the block ends."""
    reject: Callable[[Record, str, float | str | None], None]
    """Tell that a row is not exported, and why."""
    claim: Callable[[str], None] = lambda _: None
    """Tell the name of a file or folder before it is written in another way than by `create`."""
    hold_out: Callable[[Record], None] = lambda _: None
    """Tell that a row is kept apart from training: judges read it as the stream `holdout`."""
    write_more: Callable[[Record, int], None] = lambda _, __: None
    """Tell how many rows beside the first are written of one."""


class Exporter(Plugin):
    """Writes the mixed rows for others to read."""

    kind: ClassVar[str] = "exporter"

    @abstractmethod
    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Write the rows; every row that is left out is told with `to.reject`."""

    def can_export(self, columns: frozenset[str]) -> bool:
        """Whether a row with columns of these names alone may be exported; asked at `validate`."""
        return True

    def export_advice(self, columns: frozenset[str]) -> str:
        """What to set among its options so that such rows can be exported; empty: not known."""
        return ""

    def writes(self, name: str) -> Sequence[DataSet]:
        """The data sets that it may write for the recipe `name`, with no rows yet.

        What is in their way is told before anything is spent; without, when they are written.
        """
        return ()

    def check_of(self, first: Sequence[Record]) -> RowCheck | None:
        """What tells of a row by itself why it is not written in a data set that begins so.

        A mix draws from the rows that pass. None: it writes them all, or cannot tell one by one.
        """
        return None

    def check_options(self) -> Mapping[str, object] | None:
        """The options that are set and decide what passes `check_of`; None: it has no check."""
        return None

    def row_kinds(self, inputs: Inputs) -> frozenset[RowKind] | None:
        """What rows with these columns can teach as it writes them; None: not known."""
        return None

    def holds_out(self) -> bool:
        """Whether it keeps rows apart from training."""
        return False

    def expected_holdout(self, least: int, most: int | None) -> tuple[int, int | None]:
        """Rows that it keeps apart, at least and at most, of so many; for `plan`."""
        return 0, most
