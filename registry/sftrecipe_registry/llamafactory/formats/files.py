"""Files that LLaMA-Factory reads as they were meant, written row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, Protocol

import orjson

from sftrecipe_registry.llamafactory.formats.conversation import MEDIA, Masks, Preference
from sftrecipe_registry.llamafactory.formats.export_plan import Part

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 2000


class RowFile(Protocol):
    """A file of rows; it is finished when the block ends."""

    def __enter__(self) -> RowFile: ...

    def __exit__(self, *error: object) -> None: ...

    def write(self, row: Mapping[str, Any]) -> None:
        """Take one row."""


class JsonFile:
    """A JSON list, one row a line.

    Not JSON lines: of those LLaMA-Factory's reader takes a column's type from the first 10 MB, and
    reads answers that are all dates as dates. UTF-8, to be read by eye: `datasets`, with which it
    reads files, takes nothing else.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._before = b"[\n"

    def __enter__(self) -> JsonFile:
        """Start the list with the first row."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the list."""
        self._file.write(b"\n]\n")

    def write(self, row: Mapping[str, Any]) -> None:
        """Take one row; it must be UTF-8."""
        self._file.write(self._before + orjson.dumps(row))
        self._before = b",\n"


class ParquetFile:
    """A Parquet file, for sets that do not fit into LLaMA-Factory's memory as JSON."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - 60 ms, and only this file needs it

        self._writer = pq.ParquetWriter(file, schema, compression="zstd")
        self._schema = schema
        self._rows: list[Mapping[str, Any]] = []

    def __enter__(self) -> ParquetFile:
        """Start with no rows."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what is left, and the footer."""
        try:
            self._flush()
        finally:
            self._writer.close()

    def write(self, row: Mapping[str, Any]) -> None:
        """Take one row."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def row_file(file: IO[bytes], schema: pa.Schema | None) -> RowFile:
    """A Parquet file of the schema, or a JSON list where there is none."""
    return JsonFile(file) if schema is None else ParquetFile(file, schema)


class WrittenPart:
    """The train set or the holdout while it is written."""

    def __init__(self, role: Part, name: str, file: RowFile) -> None:
        self.role = role
        self.name = name
        self.rows = 0
        self.used: set[str] = set()
        """Columns that some row has."""
        self.learned: set[Masks] = set()
        """Which answers are learned of its rows."""
        self._file = file

    def write(self, row: dict[str, Any], learned: Masks) -> None:
        """Take one row."""
        self._file.write(row)
        self.rows += 1
        self.used.update(row)
        self.learned.add(learned)


def parquet_schema(formatting: str, preference: Preference) -> pa.Schema:
    """The columns of a format with their types; they may be empty."""
    import pyarrow as pa  # noqa: PLC0415

    text, texts = pa.string(), pa.list_(pa.string())
    if formatting == "text":
        return pa.schema([("text", text)])
    if formatting == "sharegpt":
        answer: pa.DataType = pa.struct([("role", text), ("content", text)])
        columns = [("messages", pa.list_(answer))]
    else:
        answer = text
        columns = [(name, text) for name in ("instruction", "input", "system")]
        columns.append(("history", pa.list_(texts)))
        if preference != "ranking":
            columns.append(("output", text))
    if preference == "ranking":
        columns += [("chosen", answer), ("rejected", answer)]
    elif preference == "kto":
        columns.append(("label", pa.bool_()))
    return pa.schema([*columns, ("tools", text), *((name, texts) for name in MEDIA)])
