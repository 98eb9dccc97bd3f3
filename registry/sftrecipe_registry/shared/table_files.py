"""Reading a data file by what its name ends with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe import PluginRefused
from sftrecipe_registry.shared.arrow_tables import arrow_rows, parquet_rows
from sftrecipe_registry.shared.csv_table import csv_rows
from sftrecipe_registry.shared.found_rows import Found
from sftrecipe_registry.shared.json_lines import json_lines
from sftrecipe_registry.shared.json_list import json_items
from sftrecipe_registry.shared.text_documents import text_lines

SUFFIXES = (".json", ".jsonl", ".csv", ".parquet", ".arrow", ".txt")
TEXT_SUFFIXES = (".json", ".jsonl", ".csv", ".txt")
"""Those that need no heavy import."""


def table_rows(path: Path, encoding: str = "auto") -> Iterator[Found]:
    """Every row of a data file. Raises PluginRefused for an unknown kind, and OSError."""
    readers = {
        ".json": json_items,
        ".jsonl": json_lines,
        ".csv": csv_rows,
        ".txt": text_lines,
    }
    suffix = path.suffix.lower()
    if suffix in readers:
        return readers[suffix](path, encoding)
    if suffix in (".parquet", ".arrow"):
        return iter(parquet_rows(path) if suffix == ".parquet" else arrow_rows(path))
    raise PluginRefused(f"file '{path.name}' is none of {', '.join(SUFFIXES)}")
