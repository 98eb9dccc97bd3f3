"""Which seeds a prompt shows, and how."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from sftrecipe.plugin import Context, Record


def drawn(rows: Sequence[Record], count: int, ctx: Context, *salt: object) -> list[Record]:
    """So many of the rows, in the order of the draw; one more row changes only draws it wins."""
    return heapq.nlargest(count, rows, key=lambda row: ctx.number(*salt, row.id))


def seed_example(row: Record) -> dict[str, Any]:
    """A seed's columns with `input` and `output`; out of Self-Instruct's nested form too."""
    columns = {"input": "", "output": "", **row.columns}
    instances = columns.get("instances")
    if isinstance(instances, list) and instances and isinstance(instances[0], dict):
        columns |= {name: instances[0].get(name) or "" for name in ("input", "output")}
    return columns
