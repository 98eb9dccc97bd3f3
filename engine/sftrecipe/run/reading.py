"""Reading a source."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.kinds import Source
from sftrecipe.record import Record

SET_ASIDE = "set_aside"


def read_source(plugin: Source, ctx: Context) -> Iterator[Record | Reject]:
    """The source's rows."""
    rows: Iterator[Record | Reject] = plugin.read(ctx)
    if plugin.sample:
        rows = iter(
            heapq.nlargest(
                plugin.sample,
                [r for r in rows if isinstance(r, Record)],
                key=lambda r: ctx.number(r.id),
            )
        )
    for row in rows:
        if isinstance(row, Record) and plugin.map:
            new = {k: row.columns[v] for k, v in plugin.map.items()}
            rest = {k: v for k, v in row.columns.items() if k not in plugin.map.values()}
            yield ctx.row({**rest, **new}, origin=row.origin)
        else:
            yield row
