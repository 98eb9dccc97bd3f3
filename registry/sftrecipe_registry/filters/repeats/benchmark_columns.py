"""The columns of a benchmark's file, as far as its first rows tell."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

_ROWS = 100
_QUICK = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt"})
_LARGEST = 20_000_000
"""Bytes of a JSON list, which is read as a whole."""


def first_columns(path: str) -> frozenset[str] | None:
    """The columns of the first rows; None where they cannot be known at once."""
    from sftrecipe_registry.shared.readers.rows import BadLine  # noqa: PLC0415 - slow
    from sftrecipe_registry.shared.readers.table_files import table_rows  # noqa: PLC0415

    file = Path(path)
    try:
        if file.suffix.lower() not in _QUICK or file.stat().st_size > _LARGEST:
            return None
        rows = [*islice(table_rows(file), _ROWS)]
    except (OSError, ValueError):
        return None
    if any(isinstance(row, BadLine) for row in rows):
        return None
    return frozenset(name for row in rows if not isinstance(row, BadLine) for name in row[1])
