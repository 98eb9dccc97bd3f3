"""What stands between a table's values, found by its first rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import NamedTuple

from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import SAMPLE, utf8_lines

CANDIDATES = (",", ";", "\t", "|", "，", "；", "^", "\x01")
NONE = "\x1f"
"""Stands in no text: every line is one value."""
_LINES = 200
_MOST = 0.5
"""Share of rows as wide as the header by which the usual one is believed."""
_NEARLY_ALL = 0.9
"""The share by which another one is."""
_SAID = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""Excel's own line before the header."""


class Delimiter(NamedTuple):
    """A delimiter, and whether the first line does nothing but name it."""

    character: str
    is_said: bool = False


def usual_delimiter(file: DataFile) -> str:
    """What stands between values by the file's name."""
    return "\t" if PurePosixPath(file.name).suffix.lower() in (".tsv", ".tab") else ","


def delimiter_of(
    file: DataFile, encoding: str, quote: str, header: Sequence[str] | None = None
) -> Delimiter:
    """The usual delimiter, unless the rows show that it is another one. Raises OSError."""
    usual = usual_delimiter(file)
    lines = list(_sample(file, encoding))
    if lines and (said := _SAID.fullmatch(lines[0])):
        return Delimiter(said[1], True)
    fits = {each: _fit(lines, each, quote, header) for each in CANDIDATES}
    width, share = fits[usual]
    if width > 1 and share >= _MOST:
        return Delimiter(usual)
    better = [each for each in CANDIDATES if fits[each][0] > 1 and fits[each][1] >= _NEARLY_ALL]
    if not better and width == 1 and share < 1 and all(fit[0] == 1 for fit in fits.values()):
        return Delimiter(NONE)  # a single column, of texts that hold some
    best = max(better, key=lambda each: (fits[each][1], fits[each][0]), default=usual)
    return Delimiter(best)


def _sample(file: DataFile, encoding: str) -> Iterator[str]:
    size = 0
    for line in islice(utf8_lines(file, encoding), _LINES):
        size += len(line)
        yield line.decode("utf-8", "replace")
        if size > SAMPLE:
            return


def _fit(
    lines: list[str], delimiter: str, quote: str, header: Sequence[str] | None
) -> tuple[int, float]:
    """How wide the header is, and the share of the other rows that are so too."""
    if delimiter == quote:
        return 0, 0.0
    rows = []
    try:
        for row in csv.reader(lines, delimiter=delimiter, quotechar=quote):
            rows.append(len(row))
    except csv.Error:
        pass
    widths = [width for width in rows if width]
    if len(lines) == _LINES and len(widths) > 2:
        widths.pop()  # it may go on
    if header is not None:
        widths.insert(0, len(header))
    if not widths:
        return 0, 0.0
    first, *others = widths
    return first, sum(width == first for width in others) / len(others) if others else 1.0
