"""Excel workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sftrecipe.plugin import Context, InputPath, Inputs, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.packed_files import DataFile, on_disk
from sftrecipe_registry.shared.readers.rows import found_rows
from sftrecipe_registry.shared.readers.workbook import SUFFIXES, read_sheet, sheet_rows

_TEXTS = frozenset({"instruction", "input", "output", "system", "text", "chosen", "rejected"})
_PEEKED = 4 * 1024 * 1024
"""Bytes of a workbook that is read at `validate`."""


class Xlsx(Source):
    """Read a sheet of a workbook (.xlsx, .xls, .xlsb, .ods): its first row names the columns.

    Empty cells are null, empty rows count for nothing, dates become ISO text. Numbers stay
    numbers, but in columns where other cells are text, or that are text in a row. Formulas count
    as they were computed last. Sheets that are not read are told.
    """

    example: ClassVar[str] = (
        "{use: xlsx, path: data/faq.xlsx, sheet: FAQ, map: {instruction: 问题, output: 回答}}"
    )

    path: InputPath
    """A workbook, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""
    sheet: str | None = None
    """Which sheet is read; left out: the only one that holds anything."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The sheet's rows."""
        texts = [self.map.get(name, name) for name in _TEXTS]
        for file, shown in self._files(ctx):
            with on_disk(file) as path:
                sheet, others = read_sheet(path, shown, self.sheet)
            for other in others:
                ctx.tell("passed_over", f"{shown}, sheet '{other}'")
            yield from found_rows(sheet_rows(sheet, texts), shown, ctx)

    def peek(self, ctx: Context) -> Inputs:
        """Column names, where the first workbook is small."""
        alone = ctx.detached()  # what it tells is told once
        file, _ = next(self._files(alone))
        with on_disk(file) as path:
            small = path.stat().st_size <= _PEEKED
        if small:
            return super().peek(ctx)
        ctx.told.update(alone.told)
        return None

    def _files(self, ctx: Context) -> Iterator[tuple[DataFile, str]]:
        kind = FileKind("xlsx", SUFFIXES, unpacks=False)
        return data_files(ctx.path(self.path), self.path, kind, ctx)
