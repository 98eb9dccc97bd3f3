"""Rows as they are, for files that keep every column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from sftrecipe.plugin import ROW_ID_COLUMNS, PluginRefused, Record, Texts

if TYPE_CHECKING:
    import pyarrow as pa

texts = Texts(__package__)

LINEAGE = "lineage"
_BATCH = 2000
_TURNS = frozenset({"messages", "chosen", "rejected"})
"""Columns of chat turns."""


def id_column(records: Iterable[Record], ids: bool) -> str | None:
    """The column of ids, where they are asked for: `id`, or one that no row has of its own.

    Raises PluginRefused where every name is taken.
    """
    if not ids:
        return None
    taken: set[str] = set()
    for record in records:
        taken |= record.columns.keys()
    free = (name for name in ROW_ID_COLUMNS if name not in taken)
    if name := next(free, None):
        return name
    raise PluginRefused(texts("ids-taken", names=", ".join(ROW_ID_COLUMNS)))


def plain_row(record: Record, lineage: bool, id_name: str | None = None) -> dict[str, Any]:
    """The record's columns, its id, and in `lineage` where it comes from. Raises PluginRefused."""
    row = dict(record.columns) if id_name is None else {id_name: record.id, **record.columns}
    if lineage:
        if LINEAGE in row:
            raise PluginRefused(texts("column-taken", column=LINEAGE, origin=record.origin))
        row[LINEAGE] = {
            "id": record.id,
            "stream": record.stream,
            "origin": record.origin,
            "parents": list(record.parents),
            "calls": list(record.calls),
            "scores": dict(record.scores),
            "tags": dict(record.tags),
        }
    return row


def common_schema(
    records: Iterable[Record], lineage: bool, id_name: str | None = None
) -> pa.Schema:
    """The Arrow type of every column over all rows; text (JSON) where rows disagree."""
    import pyarrow as pa  # noqa: PLC0415 - 60 ms, and only these exporters need it

    types: dict[str, pa.DataType] = {}
    for batch in _batches(records):
        rows = [_with_argument_texts(plain_row(record, lineage=False)) for record in batch]
        for name in {name: None for row in rows for name in row}:
            found = _type_of([row.get(name) for row in rows])
            types[name] = _common(types.get(name, pa.null()), found)
    first = [] if id_name is None else [(id_name, pa.string())]
    last = [(LINEAGE, _lineage_type())] if lineage else []
    return pa.schema([*first, *types.items(), *last])


def tables(
    records: Iterable[Record], schema: pa.Schema, lineage: bool, id_name: str | None = None
) -> Iterator[pa.Table]:
    """The rows as tables of the schema. Raises PluginRefused."""
    import pyarrow as pa  # noqa: PLC0415

    for batch in _batches(records):
        rows = [_with_argument_texts(plain_row(record, lineage, id_name)) for record in batch]
        for row in rows if lineage else ():
            for name in ("scores", "tags"):
                row[LINEAGE][name] = orjson.dumps(row[LINEAGE][name]).decode()
        columns = [
            pa.array([_value(row.get(field.name), field.type) for row in rows], field.type)
            for field in schema
        ]
        yield pa.table(columns, schema=schema)


def _with_argument_texts(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the arguments of its calls as JSON text.

    Each call has arguments of its own: as objects of one type, all would have those of all.
    """
    for name in _TURNS & row.keys():
        value = row[name]
        if isinstance(value, list | tuple):
            row[name] = [_turn_with_texts(turn) for turn in value]
        elif isinstance(value, Mapping):
            row[name] = _turn_with_texts(value)
    return row


def _turn_with_texts(turn: Any) -> Any:
    calls = turn.get("tool_calls") if isinstance(turn, Mapping) else None
    if not isinstance(calls, list | tuple):
        return turn
    texts = [
        {**call, "arguments": orjson.dumps(call["arguments"]).decode()}
        if isinstance(call, Mapping) and isinstance(call.get("arguments"), Mapping)
        else call
        for call in calls
    ]
    return {**turn, "tool_calls": texts}


def _lineage_type() -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    text = pa.string()
    return pa.struct(
        [
            *((name, text) for name in ("id", "stream", "origin")),
            *((name, pa.list_(text)) for name in ("parents", "calls")),
            *((name, text) for name in ("scores", "tags")),  # JSON: `datasets` knows no maps
        ]
    )


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _type_of(values: list[Any]) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    try:
        found = pa.array(values).type  # pa.infer_type takes [1, "x"] for numbers
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.string()
    # An object without keys has no place in Parquet.
    return pa.string() if "struct<>" in str(found) else found


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    try:
        schemas = [pa.schema([("", one)]), pa.schema([("", other)])]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()


def _value(value: Any, wanted: pa.DataType) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    if value is None or isinstance(value, str) or not pa.types.is_string(wanted):
        return value
    return orjson.dumps(value).decode()
