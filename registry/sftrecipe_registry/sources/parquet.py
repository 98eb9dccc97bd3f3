"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sftrecipe.plugin import Context, InputPath, Inputs, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.file_contents import check_parquet
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.readers.arrow_tables import parquet_rows
from sftrecipe_registry.shared.readers.rows import found_rows


class Parquet(Source):
    """Read Parquet files, batch by batch."""

    example: ClassVar[str] = (
        "{use: parquet, path: data/shards, map: {instruction: query, output: answer}}"
    )

    path: InputPath
    """A .parquet file, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The table's rows; times become ISO text."""
        for file, shown in self._files(ctx):
            yield from found_rows(parquet_rows(file), shown, ctx)

    def peek(self, ctx: Context) -> Inputs:
        """Not known before the run: reading Parquet takes a heavy import."""
        next(self._files(ctx))
        return None

    def _files(self, ctx: Context) -> Iterator[tuple[DataFile, str]]:
        kind = FileKind("parquet", (".parquet",), check_parquet)
        return data_files(ctx.path(self.path), self.path, kind, ctx)
