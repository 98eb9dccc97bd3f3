"""Who came first with a digest, in little memory."""

from __future__ import annotations

DIGEST_BYTES = 15
"""The longest that CPython stores in 48 bytes; two of a billion rows agree with chance 1e-18."""

_GROUP = 256
_MARK = 8
_PAD = "\0"


class FirstSeen:
    """Digests, each with the id of whoever brought it first.

    A dictionary gives the group of 256 digests in which one is; the group keeps 8 bytes of each to
    find its place, and the ids as one text. A number object for every digest would cost as much as
    all of that.
    """

    def __init__(self) -> None:
        self._group_of: dict[bytes, int] = {}
        self._marks: list[bytes] = []
        self._ids: list[str] = []
        self._group = 0
        self._open_marks = bytearray()
        self._open_ids: list[str] = []

    def __len__(self) -> int:
        return len(self._group_of)

    def first(self, digest: bytes, name: str) -> str | None:
        """The id that came first with this digest; None when this one is the first."""
        before = len(self._group_of)
        group = self._group_of.setdefault(digest, self._group)
        if len(self._group_of) == before:
            return self._id(digest, group)
        self._open_marks += digest[:_MARK]
        self._open_ids.append(name)
        if len(self._open_ids) == _GROUP:
            self._close_group()
        return None

    def _close_group(self) -> None:
        self._marks.append(bytes(self._open_marks))
        width = max(map(len, self._open_ids))
        self._ids.append("".join([name.ljust(width, _PAD) for name in self._open_ids]))
        self._group = len(self._marks)
        self._open_marks.clear()
        self._open_ids.clear()

    def _id(self, digest: bytes, group: int) -> str:
        if group == self._group:
            return self._open_ids[_place(self._open_marks, digest)]
        ids, place = self._ids[group], _place(self._marks[group], digest)
        width = len(ids) // _GROUP
        return ids[place * width : (place + 1) * width].rstrip(_PAD)


def _place(marks: bytes | bytearray, digest: bytes) -> int:
    """Which of a group's digests this is."""
    mark = digest[:_MARK]
    at = marks.find(mark)
    while at % _MARK:
        at = marks.find(mark, at + 1)
    return at // _MARK
