"""Reading Parquet and Arrow files, in bounded memory."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

from sftrecipe.plugin import PluginRefused, Texts, open_regular
from sftrecipe_registry.shared.files.inflation import (
    Inflation,
    batch_size,
    packed_batches,
    rows_at_once,
)
from sftrecipe_registry.shared.files.packed_files import DataFile, on_disk
from sftrecipe_registry.shared.readers.row_repairs import NULL_FOR_NAN, Unstorable, mended_row
from sftrecipe_registry.shared.readers.rows import GoodLine

texts = Texts(__package__)
_MAGIC = b"ARROW1\0\0"
_FILLED = frozenset(
    {"messages", "conversations", "conversation", "tools", "functions"}
    | {"prompt", "completion", "chosen", "rejected"}
)
"""Columns of objects of which each has its own keys."""


def parquet_rows(file: DataFile) -> Iterator[GoodLine]:
    """Every row of a Parquet file, with its number. Raises PluginRefused, OSError."""
    with on_disk(file) as path:
        yield from _parquet_rows(path)


def _parquet_rows(path: Path) -> Iterator[GoodLine]:
    import pyarrow as pa  # noqa: PLC0415 - 50 MB that `validate` need not load
    import pyarrow.parquet as pq  # noqa: PLC0415

    open_regular(path).close()  # its error names the file, Arrow's does not
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from _rows(_parquet_batches(path, file), Inflation(path))
    except (pa.ArrowException, OSError) as error:
        raise PluginRefused(texts("not-parquet", file=path.name, error=error)) from error


def _parquet_batches(path: Path, file: Any) -> Iterator[Any]:
    """The batches, of few rows where a dictionary holds long texts."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    inflation = Inflation(path)
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        columns = [group.column(at) for at in range(group.num_columns)]
        for column in columns:
            inflation.check(column.total_uncompressed_size, column.total_compressed_size)
        texts = [each for each in columns if each.physical_type == "BYTE_ARRAY"]
        names = [each.path_in_schema for each in texts if each.has_dictionary_page]
        longest = 0
        if names:
            with pq.ParquetFile(path, pre_buffer=False, read_dictionary=names) as dictionaries:
                first = next(dictionaries.iter_batches(1, row_groups=[number]), None)
                longest = batch_size(first)[1] if first is not None else 0
        yield from file.iter_batches(rows_at_once(longest), row_groups=[number])


def arrow_rows(file: DataFile) -> Iterator[GoodLine]:
    """Every row of an Arrow file, stream or file format. Raises PluginRefused, OSError."""
    with on_disk(file) as path:
        yield from _arrow_rows(path)


def _arrow_rows(path: Path) -> Iterator[GoodLine]:
    import pyarrow as pa  # noqa: PLC0415

    open_regular(path).close()
    if not path.stat().st_size:
        return
    with pa.memory_map(str(path)) as memory:
        try:
            _check_packed(path)
            try:
                batches: Any = pa.ipc.open_stream(memory)
            except pa.ArrowInvalid:
                reader = pa.ipc.open_file(memory)
                batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
            yield from _rows(batches, Inflation(path))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise PluginRefused(texts("not-arrow", file=path.name, error=error)) from error


def _check_packed(path: Path) -> None:
    """Refuse compressed batches that would not fit. Raises PluginRefused, ValueError."""
    import pyarrow as pa  # noqa: PLC0415

    inflation = Inflation(path)
    with pa.memory_map(str(path)) as memory:
        if memory.read(len(_MAGIC)) != _MAGIC:
            memory.seek(0)  # the file format is a stream between this and its footer
        reader = pa.ipc.MessageReader.open_stream(memory)
        for inflated, packed in packed_batches(reader):
            inflation.check(inflated, packed)
            inflation.add(inflated)


def _rows(batches: Any, inflation: Inflation) -> Iterator[GoodLine]:
    number = 0
    for batch in batches:
        size, longest = batch_size(batch)
        inflation.add(size)
        rows = rows_at_once(longest)
        for start in range(0, batch.num_rows, rows):
            for row in batch.slice(start, rows).to_pylist():
                number += 1
                yield number, plain(row)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with nothing but what JSON has: times as ISO text, decimals as text, bytes as Base64.

    Bytes that are UTF-8 become text. Of turns and tools, nulls are left out: Arrow gives every call
    the arguments of all calls.
    """
    odd: list[float] = []
    plain = {name: item if type(item) is str else _plain(item, odd) for name, item in row.items()}
    for name in _FILLED & plain.keys():
        plain[name] = _without_nulls(plain[name])
    return mended_row(plain) if odd else plain


def _plain(value: Any, odd: list[float]) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, odd) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, odd) for item in value]
    if isinstance(value, float) and not isfinite(value):
        odd.append(value)
        return Unstorable(f"{value}", NULL_FOR_NAN)
    return _single(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _single(value: Any) -> Any:
    """A value that holds no others."""
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    is_json = value is None or isinstance(value, str | bool | float) or _is_small(value)
    return value if is_json else str(value)


def _is_small(value: Any) -> bool:
    """Whether JSON readers take the whole number."""
    return isinstance(value, int) and -(1 << 63) <= value < 1 << 64


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode()
