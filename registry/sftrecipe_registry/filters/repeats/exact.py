"""Every row once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, ClassVar, Literal

import orjson

from sftrecipe.plugin import KEEP, Context, Filter, Record, Rows, StreamName, Verdict
from sftrecipe_registry.filters.repeats.preference import RepeatPreference
from sftrecipe_registry.shared.text.compared import tell_few
from sftrecipe_registry.shared.text.first_seen import DIGEST_BYTES, FirstSeen
from sftrecipe_registry.shared.text.row_text import CONTENT, MEDIA, Field, of_turns

Normalise = Literal["none", "whitespace", "case"]


class ExactDedup(Filter):
    """Keep one of rows with equal content, the first or the best.

    Rejects `duplicate`; the detail is the id of the row that it repeats. Rows stream; about 120
    bytes a distinct row are held, whatever the rows' length. With `prefer` all rows are read before
    the first verdict, and some 250 bytes a row are held.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"duplicate": ("field", "normalise")}
    example: ClassVar[str] = (
        "{use: exact_dedup, with: {field: instruction, normalise: case, prefer: rated}}"
    )

    field: Field = None
    """Column, or list of columns that must all be equal; left out: all that is said in the row
    (system, history, instruction, input, reasoning, output, messages, text, chosen, rejected)
    or shown (images, videos, audios)."""
    normalise: Normalise = "none"
    """What makes no difference: `none`, nothing; `whitespace`, how words are spaced; `case`, that
    and upper or lower case."""
    prefer: str = "first"
    """Which row stays: `first`; `longest`, the one in which most is said; or the name of a score,
    the highest stays (the id of the block that gave it)."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows must not be repeated either: an earlier data set."""

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where no row has the score."""
        digest = self._digest_of()
        seen = FirstSeen()
        for stream in self.against:
            for row in ctx.streams[stream]:
                seen.first(digest(row), row.id)
        if self.prefer != "first":
            yield from self._best(rows, digest, seen)
            return
        first, fixed = seen.first, len(seen)
        for row in rows:
            yield _verdict(first(digest(row), row.id))
        tell_few(len(seen) - fixed, len(rows), ctx)

    def _best(
        self, rows: Rows, digest: Callable[[Record], bytes], seen: FirstSeen
    ) -> Iterator[Verdict]:
        """Verdicts where the best row stays, not the first."""
        preference = RepeatPreference(self.prefer)
        digests, ids = [], []
        for row in rows:
            preference.add(row)
            digests.append(digest(row))
            ids.append(row.id)
        others = {}
        for place in preference.order():
            other = seen.first(digests[place], ids[place])
            if other is not None:
                others[place] = other
        for place in range(len(ids)):
            yield _verdict(others.get(place))

    def _digest_of(self) -> Callable[[Record], bytes]:
        names = (*CONTENT, *MEDIA) if self.field is None else self.field
        columns = (names,) if isinstance(names, str) else names
        change = {"none": None, "whitespace": _spaced, "case": _folded}[self.normalise]
        named, dumps = self.field is not None, orjson.dumps
        sort = orjson.OPT_SORT_KEYS

        def digest(row: Record) -> bytes:
            values = [*map(row.columns.get, columns)]
            if named and None in values:
                values = [
                    of_turns(row.columns, name) if value is None else value
                    for name, value in zip(columns, values, strict=True)
                ]
                if not any(value is not None for value in values):
                    values = [row.id]  # it repeats nothing
            content = dumps(_changed(values, change) if change else values, option=sort)
            return blake2b(content, digest_size=DIGEST_BYTES).digest()

        return digest


def _verdict(other: str | None) -> Verdict:
    return KEEP if other is None else Verdict(False, "duplicate", None, other)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_changed(item, change) for item in value]
    return value


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
