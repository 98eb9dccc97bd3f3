"""What sources of known data sets have in common: files of their rows, in their own shape."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from sftrecipe.plugin import Context, InputPath, Inputs, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import data_files
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.rows import WrongShape, found_rows
from sftrecipe_registry.shared.readers.table_files import (
    FILE_REASONS,
    TEXT_SUFFIXES,
    suffix_of,
    table_kind,
    table_rows,
)


class KnownSet(Source):
    """A data set whose columns are known."""

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **FILE_REASONS,
        "undecodable": ("encoding",),
    }

    path: InputPath
    """The data set's file (.json, .jsonl, .csv, .parquet; packed too), or a folder of them."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    @abstractmethod
    def shaped(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """The canonical columns of what stands in the file. Raises WrongShape."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The data set's rows."""
        for file, shown in self._files(ctx):
            yield from found_rows(table_rows(file, self.encoding), shown, ctx, self.shaped)

    def peek(self, ctx: Context) -> Inputs:
        """Column names from the first rows of a text file; of other kinds not known."""
        alone = ctx.detached()  # what it tells is told once
        if suffix_of(next(self._files(alone))[0]) in TEXT_SUFFIXES:
            return super().peek(ctx)
        ctx.told.update(alone.told)
        return None

    def _files(self, ctx: Context) -> Iterator[tuple[DataFile, str]]:
        kind = table_kind(type(self).__module__.rpartition(".")[2], self.encoding)
        return data_files(ctx.path(self.path), self.path, kind, ctx)


def text_of(row: Mapping[str, Any], *names: str) -> str:
    """The text of the first of these columns that the row has. Raises WrongShape."""
    name = next((name for name in names if row.get(name) is not None), None)
    if name is None:
        raise WrongShape("missing_column", " or ".join(names))
    if not isinstance(row[name], str):
        raise WrongShape("wrong_type", f"{name} is no text")
    return str(row[name])


def others(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The row's other columns."""
    return {name: value for name, value in row.items() if name not in names}
