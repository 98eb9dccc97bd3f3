"""Every row once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, ClassVar, Literal

import orjson

from sftrecipe import KEEP, Context, Filter, Record, Rows, Verdict
from sftrecipe.options import ColumnName, StreamName
from sftrecipe_registry.shared.first_seen import DIGEST_BYTES, FirstSeen
from sftrecipe_registry.shared.row_text import CONTENT

Normalise = Literal["none", "whitespace", "case"]


class ExactDedup(Filter):
    """Keep the first of rows with equal content.

    Rejects `duplicate`; the detail is the id of the row that it repeats. Rows stream; about 120
    bytes a distinct row are held, whatever the rows' length.
    """

    example: ClassVar[str] = "{use: exact_dedup, with: {field: instruction, normalise: case}}"

    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns that must all be equal; left out: all that is said in the row
    (system, history, instruction, input, output, messages, text, chosen, rejected)."""
    normalise: Normalise = "none"
    """What makes no difference: `none`, nothing; `whitespace`, how words are spaced; `case`, that
    and upper or lower case."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources whose rows must not be repeated either."""

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order."""
        digest = self._digest_of()
        seen = FirstSeen()
        for stream in self.against:
            for row in ctx.streams[stream]:
                seen.first(digest(row), row.id)
        first = seen.first
        for row in rows:
            other = first(digest(row), row.id)
            yield KEEP if other is None else Verdict(False, "duplicate", None, other)

    def _digest_of(self) -> Callable[[Record], bytes]:
        names = CONTENT if self.field is None else self.field
        columns = (names,) if isinstance(names, str) else names
        change = {"none": None, "whitespace": _spaced, "case": _folded}[self.normalise]
        dumps = orjson.dumps
        sort = orjson.OPT_SORT_KEYS

        def digest(row: Record) -> bytes:
            values = [*map(row.columns.get, columns)]
            content = dumps(_changed(values, change) if change else values, option=sort)
            return blake2b(content, digest_size=DIGEST_BYTES).digest()

        return digest


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
