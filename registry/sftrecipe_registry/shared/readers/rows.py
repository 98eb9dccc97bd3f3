"""What a reader finds in a file, and how it becomes rows and rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sftrecipe.plugin import Context, Record, Reject, UnreadTurn
from sftrecipe_registry.shared.readers.row_repairs import MendedRow

SHOWN = 500
"""Characters of a bad line that its reject keeps."""


class BadLine(NamedTuple):
    """Something in a file that is no row."""

    line: int
    text: str
    reason: str
    """`not_json`, `not_an_object`, `undecodable`, `wrong_columns` …"""
    detail: str = ""


GoodLine = tuple[int, dict[str, Any]]
"""Line, and the columns that stand there."""
Found = GoodLine | BadLine
Shape = Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
"""Makes the rows' columns out of what stands in the file. Raises WrongShape or UnreadTurn."""


class WrongShape(Exception):
    """What stands in the file is no such row."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def found_rows(
    found: Iterable[Found], shown: str, ctx: Context, shape: Shape | None = None
) -> Iterator[Record | Reject]:
    """Rows and rejects with their origin, `shown:line`."""
    make = ctx.row
    for item in found:
        origin = f"{shown}:{item[0]}"
        if isinstance(item, BadLine):
            yield _reject({"line": item.text}, item.reason, item.detail, origin, ctx)
            continue
        try:
            columns = item[1]
            if type(columns) is MendedRow:
                for mended in columns.mended:
                    ctx.tell(mended.what, f"{origin} {mended.column}: {mended.was[:SHOWN]}")
                columns = dict(columns)
            if shape is None:
                yield make(columns, origin=origin)
            else:
                yield from [make(shaped, origin=origin) for shaped in shape(columns)]
        except (WrongShape, UnreadTurn) as fault:
            yield _reject(item[1], fault.reason, fault.detail, origin, ctx)
        except TypeError as error:
            yield _reject({"line": _printed(item[1])}, "not_json", f"{error}", origin, ctx)


def _printed(columns: dict[str, Any]) -> str:
    """Columns that are no JSON, for their reject."""
    try:
        return f"{columns}"[:SHOWN].encode("utf-8", "replace").decode()
    except RecursionError:
        return ", ".join(columns)[:SHOWN]


def _reject(columns: dict[str, Any], reason: str, detail: str, origin: str, ctx: Context) -> Reject:
    return Reject(ctx.row(columns, origin=origin), reason, detail or None)


def shown(text: bytes) -> str:
    """The beginning of a bad text, for its reject."""
    return text[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN].rstrip("\r\n")
