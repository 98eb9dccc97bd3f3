"""Drawing some of a source's rows: seeded, stable when a row is added, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappush, heapreplace
from typing import TYPE_CHECKING

from sftrecipe.record import Record

if TYPE_CHECKING:
    from sftrecipe.plugin.context import Context, Reject

SET_ASIDE = "set_aside"
"""Counter of the rows that a draw left out."""

_BITS = 27


def draw_rows(
    items: Iterable[Record | Reject], size: int, ctx: Context, salt: str = "sample"
) -> Iterator[Record | Reject]:
    """`size` of the rows, in their order; rejects pass through.

    Every row has a number that depends on the recipe's seed, the step, the row's id and how often
    that id was seen before; the smallest are drawn. At most `size` rows are held.
    """
    key = ctx.number(salt).to_bytes(8, "big")
    seen = _Occurrences()
    drawn: list[tuple[int, int, Record]] = []
    count = 0
    for item in items:
        if not isinstance(item, Record):
            yield item
            continue
        count += 1
        content = b"%s %d" % (item.id.encode(), seen.before(item.id))
        number = -int.from_bytes(blake2b(content, digest_size=8, key=key).digest(), "big")
        if len(drawn) < size:
            heappush(drawn, (number, count, item))
        elif number > drawn[0][0]:
            heapreplace(drawn, (number, count, item))
    drawn.sort(key=lambda entry: entry[1])
    ctx.count(SET_ASIDE, count - len(drawn))
    yield from (row for _, _, row in drawn)


class _Occurrences:
    """How often an id was seen before, in some 17 MB however many there are.

    A Bloom filter tells new ids from old ones; only those that seem old are counted. Among ten
    million ids about two in a hundred seem old without being so: their number is another one, and
    as good.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_BITS - 3))
        self._counts: dict[str, int] = {}

    def before(self, name: str) -> int:
        """Times that the id was seen; it is seen once more now."""
        whole = int(name, 16)
        old = True
        for place in (whole & ((1 << _BITS) - 1), (whole >> _BITS) & ((1 << _BITS) - 1)):
            byte, bit = place >> 3, 1 << (place & 7)
            if not self._bits[byte] & bit:
                self._bits[byte] |= bit
                old = False
        if not old:
            return 0
        self._counts[name] = times = self._counts.get(name, 0) + 1
        return times
