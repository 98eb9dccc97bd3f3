"""Reading Parquet and Arrow files, in bounded memory."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sftrecipe import PluginRefused
from sftrecipe_registry.shared.found_rows import Good

_BATCH = 1000


def parquet_rows(path: Path) -> Iterator[Good]:
    """Every row of a Parquet file, with its number. Raises PluginRefused, OSError."""
    import pyarrow as pa  # noqa: PLC0415 - 50 MB that `validate` need not load
    import pyarrow.parquet as pq  # noqa: PLC0415

    path.stat()  # its error names the file, Arrow's does not
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from _rows(file.iter_batches(_BATCH))
    except (pa.ArrowException, OSError) as error:
        raise PluginRefused(f"file '{path.name}' cannot be read as Parquet: {error}") from error


def arrow_rows(path: Path) -> Iterator[Good]:
    """Every row of an Arrow file, stream or file format. Raises PluginRefused, OSError."""
    import pyarrow as pa  # noqa: PLC0415

    if not path.stat().st_size:
        return
    with pa.memory_map(str(path)) as memory:
        try:
            try:
                batches: Any = pa.ipc.open_stream(memory)
            except pa.ArrowInvalid:
                reader = pa.ipc.open_file(memory)
                batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
            yield from _rows(batches)
        except (pa.ArrowException, OSError) as error:
            raise PluginRefused(f"file '{path.name}' cannot be read as Arrow: {error}") from error


def _rows(batches: Any) -> Iterator[Good]:
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            for row in batch.slice(start, _BATCH).to_pylist():
                number += 1
                yield number, plain(row)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with nothing but what JSON has: times as ISO text, decimals as text, bytes as Base64.

    Bytes that are UTF-8 become text.
    """
    return {name: value if type(value) is str else _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
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
