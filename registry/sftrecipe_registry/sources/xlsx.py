"""Sheets of workbooks: Excel's and OpenDocument's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from sftrecipe.plugin import (
    Context,
    InputPath,
    Inputs,
    PluginRefused,
    Record,
    Reject,
    Source,
    Texts,
    open_regular,
)
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.packed_files import DataFile, members, on_disk, packing_of
from sftrecipe_registry.shared.readers.rows import GoodLine, found_rows

texts = Texts(__package__)
SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


class Sheet(NamedTuple):
    """A sheet's cells below the row that names its columns."""

    name: str
    columns: Sequence[str]
    rows: Sequence[tuple[int, Sequence[Any]]]
    """With their numbers in the sheet; those that are empty are left out."""


def read_sheet(path: Path, shown: str, wanted: str | None) -> tuple[Sheet, list[str]]:
    """The sheet of a name, or the only one that holds anything; and the names of the others.

    Raises PluginRefused where that is none or several, or the file cannot be read, and OSError.
    """
    open_regular(path).close()
    if packing_of(path) == "zip":
        members(path)  # refuses what would inflate beyond measure
    from python_calamine import CalamineError, SheetVisibleEnum, load_workbook  # noqa: PLC0415

    try:
        with load_workbook(str(path)) as book:
            seen = [
                each.name
                for each in book.sheets_metadata
                if each.visible is SheetVisibleEnum.Visible or each.name == wanted
            ]
            cells = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
            full = [name for name, sheet in cells.items() if sheet.height]
            name = _chosen([each for each in seen if each in full], seen, shown, wanted)
            sheet = cells[name]
            first = (sheet.start or (0, 0))[0] + 1
            found = _sheet(name, sheet.to_python(), first, shown)
    except CalamineError as error:
        raise PluginRefused(texts("no-workbook", file=shown, error=error)) from error
    return found, [each for each in full if each != name]


def _chosen(full: list[str], seen: list[str], shown: str, wanted: str | None) -> str:
    there = ", ".join(f"'{name}'" for name in seen)
    if wanted is not None:
        if wanted not in seen:
            raise PluginRefused(texts("no-sheet", file=shown, sheet=wanted, sheets=there))
        return wanted
    if len(full) > 1:
        named = ", ".join(f"'{name}'" for name in full)
        known = {"file": shown, "count": len(full), "sheets": named, "first": full[0]}
        raise PluginRefused(texts("several-sheets", **known))
    if not full:
        raise PluginRefused(texts("sheets-empty", file=shown))
    return full[0]


def _sheet(name: str, cells: list[list[Any]], first: int, shown: str) -> Sheet:
    rows = [(first + at, row) for at, row in enumerate(cells) if any(each != "" for each in row)]
    if not rows:
        return Sheet(name, (), ())
    header, *rest = rows
    used = [
        at
        for at, title in enumerate(header[1])
        if title != "" or any(row[at] != "" for _, row in rest)
    ]
    columns = [
        str(_value(header[1][at])).strip() if header[1][at] != "" else f"column_{at + 1}"
        for at in used
    ]
    twice = next((each for each in columns if columns.count(each) > 1), None)
    if twice is not None:
        raise PluginRefused(texts("column-twice", column=twice, file=shown))
    return Sheet(name, columns, [(number, [row[at] for at in used]) for number, row in rest])


def sheet_rows(sheet: Sheet, as_texts: Sequence[str]) -> Iterator[GoodLine]:
    """The sheet's rows: empty cells are null, dates ISO text.

    A column is text as a whole where `as_texts` names it or some of its cells are text.
    """
    as_text = [
        name in as_texts or any(isinstance(row[at], str) and row[at] != "" for _, row in sheet.rows)
        for at, name in enumerate(sheet.columns)
    ]
    for number, cells in sheet.rows:
        values = map(_value, cells)
        row = {
            name: str(_spoken(value)) if text and value is not None else value
            for name, value, text in zip(sheet.columns, values, as_text, strict=True)
        }
        yield number, row


def _value(cell: Any) -> Any:
    """A cell as JSON has it."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1 << 53:
        return int(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return cell.total_seconds() if isinstance(cell, timedelta) else cell


def _spoken(value: Any) -> Any:
    """Truth values as Excel shows them."""
    return str(value).upper() if isinstance(value, bool) else value


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
