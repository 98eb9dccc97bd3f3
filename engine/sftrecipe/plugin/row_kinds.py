"""What rows teach, and what an exporter says of single rows before it writes any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from sftrecipe.record import Record

RowKind = Literal["answers", "pairs", "judgements", "text"]
"""What a row teaches: the answer; the better of two; whether the answer is good; a text as it
stands."""

FIRST_ROWS = 1000
"""Rows from which an exporter sees what a data set teaches."""


class Unfit(NamedTuple):
    """Why an exporter does not write a row."""

    reason: str
    """A short name: `no_answer`, `other_kind` …"""
    value: float | str | None = None
    """What was measured, or the detail."""
    teaches: RowKind | None = None
    """What the row teaches, where it is left out of a data set that teaches something else."""


RowCheck = Callable[[Record], Unfit | None]
"""Tells why a row is not written; None: it is."""
