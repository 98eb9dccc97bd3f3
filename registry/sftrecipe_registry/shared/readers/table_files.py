"""Reading a data file by what its name ends with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.files.data_files import FileKind
from sftrecipe_registry.shared.files.file_contents import check_text
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.readers.arrow_tables import arrow_rows, parquet_rows
from sftrecipe_registry.shared.readers.csv_table import csv_rows
from sftrecipe_registry.shared.readers.json_lines import json_lines
from sftrecipe_registry.shared.readers.json_list import json_items
from sftrecipe_registry.shared.readers.json_shape import check_items, holds_lines, holds_list
from sftrecipe_registry.shared.readers.rows import Found
from sftrecipe_registry.shared.readers.text_documents import text_lines

texts = Texts(__package__)
TEXT_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt")
"""Those that need no heavy import."""
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".arrow")
_JSON = (".json", ".jsonl", ".ndjson")
FILE_REASONS: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("not_json", "not_an_object", "undecodable", "wrong_columns", "bad_csv", "line_too_long",
     "item_too_long"),
    (),
)  # fmt: skip
"""Why a line or an item is rejected, whatever the kind; no option decides it."""


def table_rows(file: DataFile, encoding: str = "auto") -> Iterator[Found]:
    """Every row of a data file. Raises PluginRefused for an unknown kind, and OSError."""
    suffix = suffix_of(file)
    if suffix in _JSON:
        return _json_rows(file, encoding, suffix)
    if suffix in (".csv", ".tsv"):
        return csv_rows(file, encoding)
    if suffix == ".txt":
        return text_lines(file, encoding)
    if suffix in (".parquet", ".arrow"):
        return iter(parquet_rows(file) if suffix == ".parquet" else arrow_rows(file))
    raise _other(file)


def table_kind(use: str, encoding: str = "auto") -> FileKind:
    """The data files that a source reads which takes all of these kinds."""
    return FileKind(use, SUFFIXES, partial(_check, use=use, encoding=encoding))


def suffix_of(file: DataFile) -> str:
    """What the file's own name ends with, in lower case."""
    return PurePosixPath(file.name).suffix.lower()


def _check(file: DataFile, name: str, *, use: str, encoding: str) -> None:
    """Refuse a file of another kind, a text file that is none, or one whose rows stand elsewhere.

    Raises PluginRefused.
    """
    suffix = suffix_of(file)
    if suffix not in SUFFIXES:
        raise _other(file)
    if suffix in _JSON:
        check_items(file, name, encoding, None)
    elif suffix in TEXT_SUFFIXES:
        check_text(file, name, use)


def _other(file: DataFile) -> PluginRefused:
    return PluginRefused(texts("other-suffix", file=file.name, suffixes=", ".join(SUFFIXES)))


def _json_rows(file: DataFile, encoding: str, suffix: str) -> Iterator[Found]:
    """Lines or a list, whatever the name says: LLaMA-Factory reads both by both."""
    is_list = not holds_lines(file, encoding) if suffix == ".json" else holds_list(file, encoding)
    return json_items(file, encoding) if is_list else json_lines(file, encoding)
