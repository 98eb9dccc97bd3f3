"""Plain tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of equally many cells, the cells under one another."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )
