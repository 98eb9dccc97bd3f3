"""Rows on disk: Parquet files of records, written and read in bounded memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

import orjson

from sftrecipe.plugin.context import Reject
from sftrecipe.record import Record
from sftrecipe.store.arrow import arrow, compute, opened_parquet, parquet, read_table

_GROUP_ROWS = 2048
_GROUP_BYTES = 16 * 1024 * 1024
_FIELDS = {
    "id": "string",
    "columns": "binary",
    "stream": "string",
    "origin": "string",
    "parents": "string",
    "calls": "string",
    "scores": "binary",
    "tags": "binary",
}
_REJECT_FIELDS = {**_FIELDS, "reason": "string", "value": "binary"}
StoredRecord = tuple[Any, ...]
"""The fields of a record in their order, its JSON written down."""


class TableWriter:
    """Writes tuples as Parquet row groups of bounded size; closing it completes the file."""

    def __init__(self, path: Path, fields: Mapping[str, str]) -> None:
        self.count = 0
        self._schema = arrow().schema(list(fields.items()))
        self._writer = parquet().ParquetWriter(
            path, self._schema, compression="zstd", compression_level=1
        )
        self._held: list[tuple[Any, ...]] = []
        self._bytes = 0

    def add(self, values: tuple[Any, ...], size: int = 0) -> None:
        """Take one row; `size` is about its bytes."""
        self._held.append(values)
        self.count += 1
        self._bytes += size
        if len(self._held) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        columns = zip(*self._held, strict=True)
        arrays = [
            arrow().array(list(column), field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_batch(arrow().RecordBatch.from_arrays(arrays, schema=self._schema))
        self._held.clear()
        self._bytes = 0

    def close(self) -> None:
        """Write what is held and the file's footer."""
        self._flush()
        self._writer.close()


class RowWriter(TableWriter):
    """Writes records."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _FIELDS)

    def write(self, record: Record) -> None:
        """Take one record."""
        self.write_stored(stored(record))

    def write_stored(self, values: StoredRecord) -> None:
        """Take one record in the form in which it is stored."""
        self.add(values, len(values[1]))


class RejectWriter(TableWriter):
    """Writes rejects."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _REJECT_FIELDS)

    def write(self, reject: Reject) -> None:
        """Take one reject."""
        values = stored(reject.record)
        value = None if reject.value is None else orjson.dumps(reject.value)
        self.add((*values, reject.reason, value), len(values[1]))


def stored(record: Record) -> StoredRecord:
    """The record as a file holds it."""
    return (
        record.id,
        orjson.dumps(record.columns),
        record.stream,
        record.origin,
        " ".join(record.parents),
        " ".join(record.calls),
        orjson.dumps(record.scores) if record.scores else None,
        orjson.dumps(record.tags) if record.tags else None,
    )


def as_read(values: StoredRecord) -> Record:
    """The record as whoever reads the file will have it."""
    return _record(*values)


def row_count(path: Path) -> int:
    """Rows of a Parquet file, from its footer."""
    count: int = parquet().read_metadata(path).num_rows
    return count


def read_rows(path: Path, kept: Any = None) -> Iterator[Record]:
    """The records of a file; `kept`, a boolean Arrow array, leaves out where it is false."""
    for batch in _batches(path, kept):
        yield from map(_record, *(batch.column(name).to_pylist() for name in _FIELDS))


def read_ids(path: Path, kept: Any = None) -> Iterator[str]:
    """The records' ids alone."""
    for batch in _batches(path, kept, columns=["id"]):
        yield from batch.column("id").to_pylist()


def read_rejects(path: Path | IO[bytes]) -> Iterator[Reject]:
    """The rejects of a file."""
    for batch in _batches(path, None):
        names = list(_FIELDS)
        records = map(_record, *(batch.column(name).to_pylist() for name in names))
        reasons = batch.column("reason").to_pylist()
        values = batch.column("value").to_pylist()
        for record, reason, value in zip(records, reasons, values, strict=True):
            yield Reject(record, reason, None if value is None else orjson.loads(value))


def group_ends(path: Path) -> list[int]:
    """Where every row group of a file ends, in rows."""
    metadata = parquet().read_metadata(path)
    sizes = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return list(accumulate(sizes))


def rows_at(path: Path, places: Sequence[int]) -> list[Record]:
    """The records at ascending places of a file; row groups that hold none are not read."""
    found: list[Record] = []
    start = 0
    with opened_parquet(path) as file:
        for group, end in enumerate(group_ends(path)):
            held = places[bisect_left(places, start) : bisect_left(places, end)]
            if held:
                table = file.read_row_group(group, columns=list(_FIELDS), use_threads=False)
                taken = table.take([place - start for place in held])
                cells = (taken.column(name).to_pylist() for name in _FIELDS)
                found += map(_record, *cells)
            start = end
    return found


def rows_named(path: Path, names: Iterable[str]) -> list[Record]:
    """The records of a file that have one of the ids."""
    ids = read_table(path, ["id"])["id"]
    found = compute().is_in(ids, value_set=arrow().array(names, arrow().string()))
    return rows_at(path, compute().indices_nonzero(found).to_pylist())


def _batches(path: Path | IO[bytes], kept: Any, columns: list[str] | None = None) -> Iterator[Any]:
    start = 0
    with opened_parquet(path) as file:
        batches = file.iter_batches(batch_size=_GROUP_ROWS, columns=columns, use_threads=False)
        for batch in batches:
            size = batch.num_rows
            yield batch if kept is None else batch.filter(kept.slice(start, size))
            start += size


def _record(  # noqa: PLR0917 - one argument a stored field
    name: str,
    columns: bytes,
    stream: str,
    origin: str,
    parents: str,
    calls: str,
    scores: bytes | None,
    tags: bytes | None,
) -> Record:
    return Record(
        name,
        orjson.loads(columns),
        stream,
        origin,
        tuple(parents.split()) if parents else (),
        tuple(calls.split()) if calls else (),
        orjson.loads(scores) if scores else {},
        orjson.loads(tags) if tags else {},
    )
