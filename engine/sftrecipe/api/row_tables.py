"""Rows of a stream as tables of other packages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from sftrecipe.errors import UsageError
from sftrecipe.plugin.environments import install_command
from sftrecipe.record import Record
from sftrecipe.store.streams import Stream


def data_frame(stream: Stream) -> Any:
    """A pandas.DataFrame whose index are the rows' ids."""
    pandas = _package("pandas", "pandas")
    ids, columns = _columns(stream)
    return pandas.DataFrame(columns, index=pandas.Index(ids, name="id"))


def dataset(stream: Stream) -> Any:
    """A datasets.Dataset. Raises UsageError where a column's values are of different kinds."""
    datasets = _package("datasets", "'sftrecipe[datasets]'")
    _, columns = _columns(stream)
    import pyarrow as pa  # noqa: PLC0415 - heavy

    for name, values in columns.items():
        try:
            pa.array(values)
        except pa.ArrowException as error:
            told = {"stream": stream.name, "column": name, "error": str(error)}
            raise UsageError("uneven-column", **told) from error
    return datasets.Dataset.from_dict(columns)


def _columns(rows: Iterable[Record]) -> tuple[list[str], dict[str, list[Any]]]:
    """The rows' ids, and all columns that any of them has; None where a row has it not."""
    ids: list[str] = []
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.columns.items():
            values = columns.setdefault(name, [])
            values += [None] * (len(ids) - len(values))
            values.append(value)
        ids.append(row.id)
    return ids, {
        name: values + [None] * (len(ids) - len(values)) for name, values in columns.items()
    }


def _package(name: str, wanted: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        told = {"package": name, "command": f"{install_command()} {wanted}"}
        raise UsageError("package-absent", "install-package", **told) from error
