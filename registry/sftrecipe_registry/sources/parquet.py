"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sftrecipe import Context, Record, Reject, Source
from sftrecipe.kinds import Inputs
from sftrecipe.options import InputPath
from sftrecipe_registry.shared.arrow_tables import parquet_rows
from sftrecipe_registry.shared.data_files import data_files
from sftrecipe_registry.shared.found_rows import found_rows


class Parquet(Source):
    """Read Parquet files, batch by batch."""

    example: ClassVar[str] = (
        "{use: parquet, path: data/shards, map: {instruction: query, output: answer}}"
    )

    path: InputPath
    """A .parquet file, or a folder of them."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The table's rows; times become ISO text."""
        for file, shown in data_files(ctx.path(self.path), self.path, (".parquet",)):
            yield from found_rows(parquet_rows(file), shown, ctx)

    def peek(self, ctx: Context) -> Inputs:
        """Not known before the run: reading Parquet takes a heavy import."""
        return None
