"""Plain tables."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of equally many cells, the cells under one another."""
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
