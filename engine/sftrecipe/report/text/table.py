"""Tables of a terminal: the one place that lays them out.

A pipe or a file gets every column and unfolded lines. On a terminal columns that are empty are
dropped and cells are folded to its width; where even that does not fit, each row is a small block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sftrecipe.report.text.folding import cells, folded, screen_width, widest_piece

_GAP = "  "
_INSIDE = "  "
"""Before the lines of a row's block."""
_WIDEST_WORD = 24
"""A longer word is torn rather than that the table falls apart."""
_NARROW = (8, 6, 4)
"""No column of longer cells is made narrower: of Chinese, where any character ends a line."""
_MEASURED = 50
"""The longest cells of a column, by which its width is chosen."""


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    indent: str = "",
    empty: Collection[str] = ("",),
    width: int | None = None,
) -> str:
    """Rows of equally many cells under a head; an empty head: none is shown.

    `empty`: cells that say nothing; `width`: the terminal's where it is left out.
    """
    lines = [[_line_of(cell) for cell in row] for row in rows]
    width = width or screen_width()
    if width is None:
        return _joined([list(head), *lines] if head else lines, indent)
    names, lines = _filled_columns(list(head), lines, empty)
    room = width - len(indent)
    whole = [names, *lines] if names else lines
    widths = _widths(whole, room, tears_names=bool(names))
    if widths is None:
        return "\n".join(indent + line for row in lines for line in _block(names, row, room))
    return _joined([line for row in whole for line in _folded_row(row, widths)], indent)


def _joined(lines: Sequence[Sequence[str]], indent: str) -> str:
    """The cells of lines under one another."""
    widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        (indent + _GAP.join(_padded(*each) for each in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cells(cell))


def _line_of(cell: str) -> str:
    return " ".join(cell.splitlines())


def _filled_columns(
    names: list[str], rows: list[list[str]], empty: Collection[str]
) -> tuple[list[str], list[list[str]]]:
    """Without the columns that no row fills; the first one stays."""
    count = max(map(len, [names, *rows]))
    filled = [
        at for at in range(count) if not (at and rows) or any(row[at] not in empty for row in rows)
    ]
    kept = [[row[at] for at in filled] for row in rows]
    return ([names[at] for at in filled] if names else []), kept


def _widths(lines: Sequence[Sequence[str]], room: int, *, tears_names: bool) -> list[int] | None:
    """The columns' widths; None where they do not fit, however they are folded."""
    columns = list(zip(*lines, strict=True))
    room -= len(_GAP) * (len(columns) - 1)
    whole = [max(map(cells, column)) for column in columns]
    if sum(whole) <= room:
        return whole
    words = [min(max(map(widest_piece, column)), _WIDEST_WORD) for column in columns]
    for narrow in _NARROW:
        least = [min(each, max(word, narrow)) for each, word in zip(whole, words, strict=True)]
        for torn in (False, True)[: 1 + tears_names]:
            tried = least if torn else [whole[0], *least[1:]]
            if sum(tried) <= room:
                return _widened(columns, tried, whole, room)
    return None


def _widened(
    columns: Sequence[Sequence[str]], widths: list[int], whole: Sequence[int], room: int
) -> list[int]:
    """Columns are made wider as long as there is room, first where a cell more saves most lines."""
    longest = [_longest(column) for column in columns]
    while (left := room - sum(widths)) > 0:
        steps = [
            step
            for at, width in enumerate(widths)
            if (step := _best_step(longest[at], width, min(whole[at], width + left), at))
        ]
        if not steps:
            break
        _, at, width = max(steps)
        widths[at] = width
    return widths


def _longest(column: Sequence[str]) -> dict[str, int]:
    """How often each of its longest cells stands in a column."""
    counted = Counter(column)
    return {cell: counted[cell] for cell in sorted(counted, key=cells, reverse=True)[:_MEASURED]}


def _best_step(
    column: Mapping[str, int], width: int, most: int, at: int
) -> tuple[float, int, int] | None:
    """Lines saved a cell, the column, and its width then; None where none is saved."""
    lines = _line_count(column, width)
    for wider in range(width + 1, most + 1):
        if (saved := lines - _line_count(column, wider)) > 0:
            return saved / (wider - width), at, wider
    return None


def _line_count(column: Mapping[str, int], width: int) -> int:
    return sum(count * len(folded(cell, width)) for cell, count in column.items())


def _folded_row(row: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    parts = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, parts))
    return [[part[at] if at < len(part) else "" for part in parts] for at in range(height)]


def _block(names: Sequence[str], row: Sequence[str], room: int) -> list[str]:
    """A row as a block: its first cell, under it the others, each with its column's name."""
    lines = folded(row[0], room) if row[0] else []
    widest = min(max(map(cells, names[1:]), default=0), room // 2)
    for at, cell in enumerate(row[1:], 1):
        if cell:
            name = folded(names[at], widest)[0] if names else ""
            start = _INSIDE + (_padded(name, widest) + _GAP if names else "")
            first, *rest = folded(cell, room - cells(start))
            lines += [start + first, *(" " * cells(start) + each for each in rest)]
    return lines
