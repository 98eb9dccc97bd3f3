"""Reading tables of separated values: one bad row costs nothing but itself."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import utf8_lines
from sftrecipe_registry.shared.readers.csv_delimiter import delimiter_of
from sftrecipe_registry.shared.readers.rows import SHOWN, BadLine, Found

texts = Texts(__package__)
LONGEST_FIELD = 16 * 1024 * 1024
MOST_LINES = 10_000
"""Lines of a row whose quotation mark does not close, after which it is given up."""


def csv_rows(
    path: DataFile,
    encoding: str = "auto",
    *,
    delimiter: str | None = None,
    quote: str = '"',
    header: Sequence[str] | None = None,
) -> Iterator[Found]:
    """Every row's values by the header's names; `header` names them where the file does not.

    Raises PluginRefused where the header is unusable, and OSError.
    """
    found = delimiter_of(path, encoding, quote, header) if delimiter is None else None
    delimiter = delimiter or (found.character if found else ",")
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
    lines = _Lines(utf8_lines(path, encoding))
    if found and found.is_said:
        next(lines, None)
    rows = _rows(lines, delimiter, quote)
    names = list(header) if header is not None else None
    for row in rows:
        if isinstance(row, BadLine):
            if names is None:
                raise PluginRefused(texts("header-unreadable", file=path.name, reason=row.reason))
            yield row
            continue
        line, values = row
        if names is None:
            names = _header(values, path)
        elif len(values) == len(names):
            yield line, dict(zip(names, values, strict=True))
        else:
            detail = f"{len(values)} values, expected {len(names)}"
            yield BadLine(line, delimiter.join(values)[:SHOWN], "wrong_columns", detail)


class _Lines:
    """The lines as text; those of the row that is being read are kept, and can be read again."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.number = 0
        """Of the line that was read last."""
        self.row: list[str] = []
        self.damaged = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.row) >= MOST_LINES:
            raise csv.Error("quotation mark does not close")
        text = self._again.popleft() if self._again else self._decoded(next(self._lines))
        self.number += 1
        self.row.append(text)
        return text

    def begin(self) -> None:
        """A new row begins."""
        self.row.clear()
        self.damaged = False

    def only_first(self) -> None:
        """Take the lines after the row's first one back."""
        again = self.row[1:]
        self._again.extendleft(reversed(again))
        self.number -= len(again)

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.damaged = True
            return line.decode("utf-8", "replace")


def _rows(lines: _Lines, delimiter: str, quote: str) -> Iterator[tuple[int, list[str]] | BadLine]:
    while True:
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
        lines.begin()
        try:
            for values in reader:
                line = lines.number - len(lines.row) + 1
                if lines.damaged:
                    yield BadLine(line, lines.row[0][:SHOWN].rstrip("\r\n"), "undecodable")
                elif values:
                    yield line, values
                lines.begin()
            return
        except csv.Error as error:
            if not lines.row:
                return
            first = lines.row[0]
            if len(lines.row) > 1:
                lines.only_first()
            yield BadLine(lines.number, first[:SHOWN].rstrip("\r\n"), "bad_csv", f"{error}")


def _header(values: list[str], path: DataFile) -> list[str]:
    names = [value.strip() or f"column_{number}" for number, value in enumerate(values, 1)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PluginRefused(texts("column-twice", column=twice, file=path.name))
    return names
