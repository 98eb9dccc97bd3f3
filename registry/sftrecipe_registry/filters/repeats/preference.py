"""Which stays of rows that repeat one another."""

from __future__ import annotations

from array import array
from math import inf, isnan

from sftrecipe.plugin import (
    PluginRefused,
    Record,
    Texts,
    closest,
)
from sftrecipe_registry.shared.text.row_text import text_aloud

texts = Texts(__package__)


class RepeatPreference:
    """Ranks rows: `first` come, `longest`, or by the name of a score, highest first.

    Of equals the earlier row is better; a row without the score comes after all that have it.
    """

    def __init__(self, prefer: str) -> None:
        self._prefer = prefer
        self._merits = array("d")
        self._scored = False
        self._names: set[str] = set()

    def __len__(self) -> int:
        return len(self._merits)

    def add(self, row: Record) -> None:
        """Take the next row."""
        self._merits.append(self._merit(row))

    def order(self) -> list[int]:
        """The places of the rows, the best first. Raises PluginRefused where none has the score."""
        if self._prefer not in ("first", "longest") and self._merits and not self._scored:
            if near := closest(self._prefer, self._names):
                told = texts("score-unknown-near", score=self._prefer, near=near)
            else:
                known = ", ".join(sorted(self._names)) or texts("none")
                told = texts("score-unknown", score=self._prefer, scores=known)
            raise PluginRefused(told)
        merits = self._merits
        return sorted(range(len(merits)), key=lambda place: -merits[place])

    def _merit(self, row: Record) -> float:
        if self._prefer == "first":
            return 0.0
        if self._prefer == "longest":
            return float(len(text_aloud(row)))
        value = row.scores.get(self._prefer)
        if value is None or isnan(value):  # NaN would leave the order to chance
            self._names.update(row.scores)
            return -inf
        self._scored = True
        return value
