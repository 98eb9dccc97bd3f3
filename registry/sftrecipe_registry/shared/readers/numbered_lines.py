"""Lines with their numbers, where a line too long to be a row is told and passed over."""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import LONGEST_LINE, utf8_lines
from sftrecipe_registry.shared.readers.rows import BadLine, shown


def numbered_lines(path: DataFile, encoding: str = "auto") -> Iterator[tuple[int, bytes] | BadLine]:
    """Every line, from 1, in UTF-8; one over `LONGEST_LINE` is a BadLine. Raises OSError."""
    number, whole = 0, True
    for line in utf8_lines(path, encoding):
        number += whole
        began, whole = whole, line.endswith(b"\n") or len(line) < LONGEST_LINE
        if began and whole:
            yield number, line
        elif began:
            yield BadLine(number, shown(line), "line_too_long", f"over {LONGEST_LINE} bytes")
