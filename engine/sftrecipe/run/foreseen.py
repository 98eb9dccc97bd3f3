"""The rows of a plan's streams as far as they can be known before the run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from sftrecipe.plan.estimate import UNKNOWN, Range
from sftrecipe.plan.expectation import Seen
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Rows
from sftrecipe.plugin.kinds import Exporter, Generator, Source
from sftrecipe.recipe.checked import CheckedRecipe
from sftrecipe.recipe.graph import HELD_OUT, MIXED
from sftrecipe.record import Record, new_record
from sftrecipe.run.contexts import block_context
from sftrecipe.run.following import follow
from sftrecipe.run.reading import read_source
from sftrecipe.store.steps import StepStore
from sftrecipe.store.streams import Stream

_TYPICAL_TEXT = 200
"""Characters of a column that a model will write."""


@dataclass(frozen=True)
class Outlook:
    """What is known of a stream's rows."""

    count: Range = UNKNOWN
    likely: bool = False
    """Whether the count's range is likely; else it is a bound."""
    rows: Sequence[Record] | Stream = ()
    """The rows, or some that are like them."""
    whole: bool = False
    """Whether they are the rows of the run, all of them."""


@dataclass
class Foreseen:
    """The streams' outlooks, step by step."""

    outlooks: dict[str, Outlook] = field(default_factory=dict)
    _stored: dict[str, Stream] = field(default_factory=dict)

    def of(self, names: Sequence[str]) -> Outlook:
        """Several streams, one after the other."""
        found = [self.outlooks.get(name, Outlook()) for name in names]
        if len(found) == 1:
            return found[0]
        most = [each.count[1] for each in found]
        known = [each for each in most if each is not None]
        count = sum(each.count[0] for each in found), sum(known) if known == most else None
        rows = [row for each in found for row in each.rows]
        whole = all(each.whole for each in found)
        return Outlook(count, any(each.likely for each in found), rows, whole)

    def named(self, names: Sequence[str]) -> Mapping[str, Rows] | None:
        """Streams that a step's options name; None unless all of them are known."""
        found = {name: self.outlooks.get(name, Outlook()) for name in names}
        if not all(each.whole for each in found.values()):
            return None
        return {
            name: each.rows if isinstance(each.rows, Stream) else InMemory(each.rows)
            for name, each in found.items()
        }

    def stored(self, step: Step, store: StepStore) -> None:
        """A step's result is in the store."""
        section, folder = step.block.section, store.path(step.key)
        if section == "filter" and any(name not in self._stored for name in step.reads):
            self.thinned(step, UNKNOWN, None)
            return
        follow(self._stored, step.id, section, step.reads, folder)
        changed = step.reads if section == "filter" else [MIXED if section == "mix" else step.id]
        for name in changed:
            stream = self._stored[name]
            self.outlooks[name] = Outlook((len(stream), len(stream)), rows=stream, whole=True)

    def exported(self, step: Step, store: StepStore) -> None:
        """An export: the rows that it keeps apart, where it did so with these rows already."""
        plugin = step.block.plugin
        assert isinstance(plugin, Exporter)  # noqa: S101 - the section's blocks are
        if HELD_OUT in self.outlooks or not plugin.holds_out():
            return
        if store.has(step.key) and all(name in self._stored for name in step.reads):
            follow(self._stored, step.id, "export", step.reads, store.path(step.key))
            rows = self._stored[HELD_OUT]
            self.outlooks[HELD_OUT] = Outlook((len(rows), len(rows)), rows=rows, whole=True)
        else:
            read = self.of(step.reads)
            self.outlooks[HELD_OUT] = Outlook((0, read.count[1]), read.likely, read.rows)

    def read(self, step: Step, recipe: CheckedRecipe, largest: int, seconds: float) -> None:
        """A source is read, where its files are small."""
        plugin = step.block.plugin
        assert isinstance(plugin, Source)  # noqa: S101 - the section's blocks are
        self.outlooks[step.id] = Outlook((0, plugin.sample))
        if not _is_small(step, largest):
            return
        rows, ends, context = [], time.monotonic() + seconds, block_context(recipe, step.block)
        try:
            for item in read_source(plugin, context):
                if isinstance(item, Record):
                    rows.append(item)
                if time.monotonic() > ends:
                    self.outlooks[step.id] = Outlook((len(rows), plugin.sample), rows=rows)
                    return
        except Exception:  # whatever is wrong with the file, the run will tell
            return
        self.outlooks[step.id] = Outlook((len(rows), len(rows)), rows=rows, whole=True)

    def made(self, step: Step, count: Range, likely: bool, seen: Seen | None) -> None:
        """A generator's rows: those of its dry run where it asks nobody, else some like them."""
        read = self.of(step.reads)
        if seen is not None and seen.whole and not seen.unanswered:
            self.outlooks[step.id] = Outlook(count, rows=seen.made, whole=True)
            return
        rows = seen.made if seen is not None and seen.made else _typical(step, read.rows)
        self.outlooks[step.id] = Outlook(count, likely or read.likely, rows)

    def thinned(self, step: Step, count: Range, seen: Seen | None) -> None:
        """The streams after a filter."""
        sure = seen is not None and seen.whole and not seen.unanswered
        for name in step.reads:
            before = self.outlooks.get(name, Outlook())
            self._stored.pop(name, None)
            if sure and seen is not None and len(step.reads) == 1:
                self.outlooks[name] = Outlook(count, rows=seen.made, whole=True)
            else:
                low = count[0] if len(step.reads) == 1 else 0
                after = (min(low, before.count[0]), before.count[1])
                self.outlooks[name] = Outlook(after, before.likely, before.rows)


def _is_small(step: Step, largest: int) -> bool:
    paths = [Path(path) for path in step.block.files.paths.values()]
    return bool(paths) and all(
        not path.is_dir() and path.stat().st_size <= largest for path in paths
    )


class InMemory(list[Record]):
    """Rows in memory; satisfies `Rows`."""

    def ids(self) -> Iterator[str]:
        """The rows' ids."""
        return (row.id for row in self)


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
