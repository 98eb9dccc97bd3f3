"""A text folded to a terminal's width, wide characters counted as two cells."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from functools import lru_cache

_WIDE = (
    "\u1100-\u11ff\u2e80-\u3000\u3003-\u3007\u3012-\u3013\u3020-\ua4cf\uac00-\ud7a3"
    "\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6"
)
_OPENING = "（「『《〈【〔“‘"
_CLOSING = "，。、；：！？）」』》〉】〕”’…"
_PIECE = (
    rf"\s+|[{_OPENING}]*(?![{_OPENING}])[{_WIDE}][{_CLOSING}]*"
    rf"|[{_OPENING}]*[^\s{_WIDE}{_OPENING}]+?(?:[/_-](?=[^\W\d])|[{_CLOSING}]+|(?=[\s{_WIDE}{_OPENING}]|$))"
    r"|."
)
"""What is not torn: spaces, a wide character or a word, with the brackets and stops at it; a word
of several, as `exact_dedup`, between those. Compiled when a text is folded: 7 ms."""
_BREAKS_AFTER = "/-_.,:=&?"
NARROWEST = 20
_WIDEST = 96


def screen_width() -> int | None:
    """The cells of a line of the terminal that stdout is; None where it is none: nothing is folded
    for a pipe or a file."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)


def paragraph(text: str, indent: str) -> list[str]:
    """Running text in indented lines that fit the terminal; of an empty one there are none."""
    width = min(screen_width() or _WIDEST, _WIDEST) - len(indent)
    return [indent + line for line in folded(" ".join(text.split()), width)] if text else []


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - 20 ms, and most texts are ASCII

    return cell_len(text)


def widest_piece(text: str) -> int:
    """The cells of its longest part that is not torn."""
    return max((width for _, width in _pieces(text)), default=0)


def folded(text: str, width: int) -> list[str]:
    """The text in lines of so many cells, 2 or more; what is longer in one piece is torn."""
    if cells(text) <= width:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for piece, taken in _fitting(text, width):
        if piece.isspace() and not line:
            continue
        if used + taken > width and not piece.isspace():
            lines.append(line.rstrip())
            line, used = "", 0
        line, used = line + piece, used + taken
    return [*lines, line.rstrip()]


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[tuple[str, int], ...]:
    """The parts that are not torn, each with its cells."""
    return tuple((piece, cells(piece)) for piece in re.findall(_PIECE, text))


def _fitting(text: str, width: int) -> Iterator[tuple[str, int]]:
    """The same, those that are too long torn: after a stroke or a stop where one has one."""
    for piece, taken in _pieces(text):
        if taken <= width:
            yield piece, taken
            continue
        rest = piece
        while cells(rest) > width:
            at = next(end for end in range(len(rest) - 1, 0, -1) if cells(rest[:end]) <= width)
            stops = (end for end in range(at, at // 2, -1) if rest[end - 1] in _BREAKS_AFTER)
            at = next(stops, at)
            yield rest[:at], cells(rest[:at])
            rest = rest[at:]
        yield rest, cells(rest)
