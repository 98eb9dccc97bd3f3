"""Whether what rows are compared by says anything: a column that is nearly the same in all rows, or
empty, makes all rows repeats of one another."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from sftrecipe.plugin import Context

_FEWEST = 20
"""Rows below which nothing is told: a handful may well agree."""
_MOST_ALIKE = 0.5
"""Share of the rows with one text from which on it is told."""
_FEW_TEXTS = 0.05
"""Texts a row, below which it is told."""
_MANY_EMPTY = 0.5
_SHOWN = 60


class Monotony:
    """Counts how often each compared text comes; 60 bytes a distinct one."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._example: dict[bytes, str] = {}
        self._rows = 0
        self._empty = 0

    def add(self, text: str) -> None:
        """Take the next row's text."""
        self._rows += 1
        if not text or text.isspace():
            self._empty += 1
            return
        digest = blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self._counts[digest] += 1
        if self._counts[digest] == 2:
            self._example[digest] = text

    def tell(self, ctx: Context) -> None:
        """Tell of it at the end of the run, where it is so."""
        if self._rows < _FEWEST:
            return
        if self._empty >= _MANY_EMPTY * self._rows:
            ctx.tell("compared_empty", f"{self._empty} of {self._rows} rows")
        spoken = self._counts.total()
        if not spoken:
            return
        digest, most = self._counts.most_common(1)[0]
        if most >= max(_MOST_ALIKE * spoken, 2) or len(self._counts) < _FEW_TEXTS * spoken:
            shown = " ".join(self._example.get(digest, "").split())[:_SHOWN]
            ctx.tell("compared_alike", f"{most} of {self._rows} rows: {shown}")
