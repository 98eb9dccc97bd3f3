"""Columns with a meaning that a catalogue entry does not name: LLaMA-Factory does not read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sftrecipe.plugin import UNNAMED, Context
from sftrecipe_registry.llamafactory.formats.alpaca_shape import CANONICAL
from sftrecipe_registry.llamafactory.formats.catalogue_entry import Entry
from sftrecipe_registry.shared.readers.rows import Shape

_EMPTY: tuple[object, ...] = (None, "", [], {})


def counting_unnamed(shape: Shape, entry: Entry, ctx: Context) -> Shape:
    """The shape, which also counts the rows that lose such a column, by its name."""
    named = {name for key, name in entry.columns.items() if name and _is_read(key, entry)}
    lost = CANONICAL - named

    def counted(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for name in lost.intersection(row):
            if row[name] not in _EMPTY:
                ctx.count(f"{UNNAMED}{name}")
        yield from shape(row)

    return counted


def _is_read(key: str, entry: Entry) -> bool:
    """Whether LLaMA-Factory reads what the entry names so: pairs where it ranks alone."""
    return entry.ranking or key not in ("chosen", "rejected")
