"""The rows of a plan's streams as far as they can be known before the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, zip_longest
from math import ceil
from pathlib import Path
from typing import cast

import orjson

from sftrecipe.forecast.expectation import DryRunResult, Expectation, told_range
from sftrecipe.plan.estimate import UNKNOWN, Range, likely_sum, total
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Context, Rows
from sftrecipe.plugin.plugin_kinds import Exporter, Generator, Mixer, Source
from sftrecipe.plugin.row_views import RowsInMemory
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.record import Record, new_record
from sftrecipe.run.contexts import block_context
from sftrecipe.run.steps.mix_step import ExportChecks
from sftrecipe.run.steps.source_step import read_source
from sftrecipe.run.steps.step_files import advance_streams
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.streams import Stream

_SAMPLE = 100
"""Rows of a stream that stand for those of a mix or a holdout."""
_CHECKED = 2000
"""Rows of a stream, at most, that are held against what the exports of a mix can write."""
_HUGE = 10**12
_TYPICAL_TEXT = 200
"""Characters of a column that a model will write."""


@dataclass(frozen=True)
class StreamForecast:
    """What is known of a stream's rows."""

    count: Range = UNKNOWN
    likely: bool = False
    """Whether the count's range is likely; else it is a bound."""
    rows: Sequence[Record] | Stream = ()
    """The rows, or some that are like them."""
    whole: bool = False
    """Whether they are the rows of the run, all of them."""
    expected: int | None = None
    """The likely count; None where nothing tells, or the range does."""
    copies: int = 1
    """Rows of it, at most, that may ask the same, as far as it is known."""

    @property
    def likely_count(self) -> int | None:
        """The likely count, the only one where it is certain."""
        least, most = self.count
        return least if least == most else self.expected


@dataclass
class StreamForecasts:
    """The streams' forecasts, step by step."""

    forecasts: dict[str, StreamForecast] = field(default_factory=dict)
    _stored: dict[str, Stream] = field(default_factory=dict)

    def of(self, names: Sequence[str]) -> StreamForecast:
        """Several streams, one after the other."""
        found = [self.forecasts.get(name, StreamForecast()) for name in names]
        if len(found) == 1:
            return found[0]
        count = total([each.count for each in found])
        rows = [row for each in found for row in each.rows]
        whole = all(each.whole for each in found)
        likely = any(each.likely for each in found)
        copies = sum(each.copies for each in found)
        expected = likely_sum([each.likely_count for each in found])
        return StreamForecast(count, likely, rows, whole, expected, copies)

    def named(self, names: Sequence[str]) -> Mapping[str, Rows] | None:
        """Streams that a step's options name; None unless all of them are known."""
        found = {name: self.forecasts.get(name, StreamForecast()) for name in names}
        if not all(each.whole for each in found.values()):
            return None
        return {
            name: each.rows if isinstance(each.rows, Stream) else RowsInMemory(each.rows)
            for name, each in found.items()
        }

    def use_stored(self, step: Step, store: StepStore) -> None:
        """A step's result is in the store."""
        if any(name not in self._stored for name in step.thins):
            self.foresee_thinned(step, UNKNOWN, None, None)
            return
        advance_streams(self._stored, step, store.path(step.key))
        for name in (*step.makes, *step.thins):
            stream = self._stored[name]
            self.forecasts[name] = StreamForecast(
                (len(stream), len(stream)), rows=stream, whole=True
            )

    def foresee_mix(self, step: Step) -> StreamForecast:
        """A mix: as many rows as its plugin foresees, like those of its streams."""
        plugin = step.block.plugin
        assert isinstance(plugin, Mixer)  # noqa: S101 - the section's blocks are
        read = _fit(step, {name: self.forecasts.get(name, StreamForecast()) for name in step.reads})
        seen = {name: cast("Sequence[Record]", each.rows) for name, each in read.items()}
        counts = {name: each.count for name, each in read.items()}
        count = _range_told(lambda: plugin.expected_of(counts, seen))
        points = {
            name: (each.likely_count, each.likely_count)
            for name, each in read.items()
            if each.likely_count is not None
        }
        likely = None
        if len(points) == len(read):
            likely = middle(_range_told(lambda: plugin.expected_of(points, seen)))
        rows = _some_of_all([each.rows for each in read.values()])
        copies = _copies(plugin, read, count)
        unsure = any(each.likely for each in read.values())
        found = StreamForecast(count, unsure, rows, False, likely, copies)
        self.forecasts |= dict.fromkeys(step.makes, found)
        return found

    def foresee_holdout(self, step: Step, store: StepStore) -> None:
        """An export: the rows that it keeps apart, where it did so with these rows already."""
        plugin, read = step.block.plugin, self.of(step.reads)
        assert isinstance(plugin, Exporter)  # noqa: S101 - the section's blocks are
        if not step.makes:
            return
        if store.has(step.key) and all(name in self._stored for name in step.reads):
            self.use_stored(step, store)
            return
        count = _range_told(lambda: _held_out(plugin, read))
        likely, point = None, read.likely_count
        if point is not None:
            likely = middle(_range_told(lambda: plugin.expected_holdout(point, point)))
        rows = list(islice(read.rows, _SAMPLE))
        found = StreamForecast(count, count[0] != count[1], rows, False, likely)
        self.forecasts |= dict.fromkeys(step.makes, found)

    def foresee_source(
        self, step: Step, recipe: CheckedRecipe, largest: int, seconds: float
    ) -> StreamForecast:
        """A source is read where its files are small; of a large one, the first rows."""
        plugin = step.block.plugin
        assert isinstance(plugin, Source)  # noqa: S101 - the section's blocks are
        context = block_context(recipe, step.block)
        if _is_small(step, largest):
            found = _read_within(plugin, context, seconds)
        else:
            found = _begun(plugin, context)
        self.forecasts[step.id] = found
        return found

    def foresee_made(
        self, step: Step, found: Expectation, likely: bool, seen: DryRunResult | None
    ) -> None:
        """A generator's rows: those of its dry run where it asks nobody, else some like them."""
        read = self.of(step.reads)
        if seen is not None and seen.certain:
            self.forecasts[step.id] = StreamForecast(found.rows, rows=seen.made, whole=True)
            return
        rows = seen.made if seen is not None and seen.made else _typical(step, read.rows)
        likely = likely or read.likely
        most, before = found.rows[1], read.count[1]
        copies = max(1, ceil(most / before)) if most and before else 1
        self.forecasts[step.id] = StreamForecast(
            found.rows, likely, rows, False, found.expected_rows, copies
        )

    def foresee_thinned(
        self, step: Step, count: Range, expected: int | None, seen: DryRunResult | None
    ) -> None:
        """The streams after a filter."""
        read = self.of(step.reads).likely_count
        sure = seen is not None and seen.certain
        for name in step.reads:
            before = self.forecasts.get(name, StreamForecast())
            self._stored.pop(name, None)
            if sure and seen is not None and len(step.reads) == 1:
                self.forecasts[name] = StreamForecast(count, rows=seen.made, whole=True)
            else:
                low = count[0] if len(step.reads) == 1 else 0
                after = (min(low, before.count[0]), before.count[1])
                likely, point = None, before.likely_count
                if expected is not None and read is not None and point is not None:
                    likely = round(point * expected / read) if read else 0
                self.forecasts[name] = StreamForecast(
                    after, before.likely, before.rows, False, likely, before.copies
                )


def _fit(step: Step, read: Mapping[str, StreamForecast]) -> Mapping[str, StreamForecast]:
    """The streams of a mix without the rows that its exports cannot write, as far as all rows of a
    stream are known, and are few."""
    checks, found = ExportChecks(step.exporters), dict(read)
    try:
        checks.begin(iter(_some_of_all([each.rows for each in read.values()])))
        for name, each in read.items():
            if each.whole and len(each.rows) <= _CHECKED:
                rows = [row for row in each.rows if checks.unfit(row) is None]
                count = (len(rows), len(rows))
                found[name] = replace(each, count=count, rows=rows) if each.rows else each
    except Exception:  # somebody's plugin: a plan is not to fail of its estimate
        return read
    return found


def _read_within(plugin: Source, context: Context, seconds: float) -> StreamForecast:
    """A source's rows, as far as they are read in the time."""
    rows, ends = [], time.monotonic() + seconds
    try:
        for item in read_source(plugin, context):
            if isinstance(item, Record):
                rows.append(item)
            if time.monotonic() > ends:
                return StreamForecast((len(rows), plugin.sample), rows=rows)
    except Exception:  # whatever is wrong with the file, the run will tell
        return StreamForecast((0, plugin.sample))
    return StreamForecast((len(rows), len(rows)), rows=rows, whole=True)


def _is_small(step: Step, largest: int) -> bool:
    sizes = [_size(Path(path), largest) for path in step.block.files.paths.values()]
    return bool(sizes) and max(sizes) <= largest


def _size(path: Path, enough: int) -> int:
    """Bytes of a file, or of a folder's files, which are counted up to `enough`."""
    size = 0
    for file in path.rglob("*") if path.is_dir() else (path,):
        size += file.stat().st_size
        if size > enough:
            break
    return size


def _begun(plugin: Source, context: Context) -> StreamForecast:
    """A large source: its first rows, which `validate` reads too, and how many of them its files
    may hold."""
    count: Range = (0, plugin.sample)
    if type(plugin).peek is not Source.peek:  # its rows take heavy imports, or a network
        return StreamForecast(count)
    whole = plugin.model_copy(update={"sample": None})
    try:
        items = islice(read_source(whole, context), _SAMPLE)
        rows = [item for item in items if isinstance(item, Record)]
    except Exception:  # whatever is wrong with the file, the run will tell
        return StreamForecast(count)
    likely = plugin.sample
    if rows and context.files.paths:
        size = sum(_size(Path(path), _HUGE) for path in context.files.paths.values())
        mean = sum(len(orjson.dumps(row.columns)) for row in rows) / len(rows)
        held = round(size / mean)
        likely = held if likely is None else min(likely, held)
    return StreamForecast(count, rows=rows, expected=likely)


def middle(count: Range) -> int | None:
    """The likely number of a range whose ends are as likely."""
    least, most = count
    return None if most is None else round((least + most) / 2)


def _range_told(expected: Callable[[], Range]) -> Range:
    """What a plugin says; nothing is known where it fails to say it."""
    try:
        return told_range(expected())
    except Exception:  # somebody's plugin: a plan is not to fail of its estimate
        return UNKNOWN


def _copies(mixer: Mixer, read: Mapping[str, StreamForecast], count: Range) -> int:
    """Rows of a mix, at most, that ask the same: streams may be made from one another, and a mixer
    may repeat rows."""
    streams = sum(each.copies for each in read.values())
    most = _range_told(lambda: mixer.expected(dict.fromkeys(read, (1, 1))))[1]
    if most is not None and most <= len(read):
        return streams
    fewest = min((each.likely_count or each.count[0] for each in read.values()), default=0)
    return streams * ceil((count[1] or 1) / max(1, fewest))


def _held_out(exporter: Exporter, read: StreamForecast) -> Range:
    """Rows kept apart, at least and at most: those that ask the same go together."""
    (least, most), copies = read.count, read.copies
    low, high = exporter.expected_holdout(least, most)
    if copies == 1 or most is None or high is None:
        return low, high
    fewest, top = exporter.expected_holdout(least // copies, ceil(most / copies))
    return min(low, fewest * copies), min(most, max(high, (top or 0) * copies))


def _some_of_all(streams: Sequence[Sequence[Record] | Stream]) -> list[Record]:
    """Rows of every stream in turn."""
    turns = zip_longest(*(islice(rows, _SAMPLE) for rows in streams))
    return [row for turn in islice(turns, _SAMPLE) for row in turn if row is not None]


def _typical(step: Step, rows: Sequence[Record] | Stream) -> list[Record]:
    """What a generator may make: its columns, with texts of the rows that it reads."""
    plugin = step.block.plugin
    assert isinstance(plugin, Generator)  # noqa: S101 - the section's blocks are
    typical = []
    for row in islice(rows, 20):
        columns = plugin.columns(frozenset(row.columns))
        if columns is None:
            columns = frozenset(row.columns)
        new = {name: row.columns.get(name) or _text(row) for name in sorted(columns)}
        typical.append(new_record(step.id, new))
    return typical


def _text(row: Record) -> str:
    """A text in the row's language."""
    texts = [value for value in row.columns.values() if isinstance(value, str) and value]
    longest = max(texts, key=len, default="text ")
    return "".join(islice(cycle(longest), _TYPICAL_TEXT))
