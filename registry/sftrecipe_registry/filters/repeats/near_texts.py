"""The texts that `near_dedup` compares, as sets of shingles by their length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.meaning.copies import is_copy
from sftrecipe_registry.shared.meaning.courtesies import bare, folded, without_courtesies
from sftrecipe_registry.shared.meaning.traditional import simplified
from sftrecipe_registry.shared.near_duplicates.long_texts import told_apart
from sftrecipe_registry.shared.near_duplicates.set_families import Family
from sftrecipe_registry.shared.near_duplicates.set_join import Repeats, find_repeats
from sftrecipe_registry.shared.near_duplicates.shingle_sets import SetCollector
from sftrecipe_registry.shared.near_duplicates.short_texts import ShortTexts, is_short, lowered
from sftrecipe_registry.shared.near_duplicates.token_hashes import Unit

_BRIEF = 250
"""Characters of a text that a greeting would be a large part of."""
_LONG_SHINGLE = 5
_LENIENCE = 0.25
"""How much lower the similarity of short texts may be: one wrong letter is in four shingles, and a
greeting as long as half a question."""


class NearTexts:
    """Collects texts, then finds which repeat another."""

    def __init__(self, shingle: int | str, unit: Unit) -> None:
        self._auto = isinstance(shingle, str)
        self._words = SetCollector(_LONG_SHINGLE if isinstance(shingle, str) else shingle, unit)
        self._short = ShortTexts()
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Take the next text."""
        if self._auto:
            self._texts.append(text)
            known = not text.isascii()
            text = simplified(folded(text)) if known else text
            self._short.add(_asked(text, folded_before=known) if is_short(text) else "")
        self._words.add(text)

    def spoken(self) -> NDArray[np.bool_]:
        """Which texts have a word."""
        self._sets = self._words.sets()
        found: NDArray[np.bool_] = self._sets.sizes > 0
        return found

    def repeats(self, at_least: float, ranked: NDArray[np.int64], fixed: int) -> Repeats:
        """What every text repeats; after `spoken`."""
        if not self._auto:
            return find_repeats(self._sets, at_least, ranked, fixed)
        lower = lowered(at_least, _LENIENCE)
        others = [Family(sets, lower) for sets in self._short.sets()]
        return find_repeats(self._sets, at_least, ranked, fixed, others=others, same=self._same)

    def _same(self, one: int, other: int) -> bool:
        """Whether one is a copy of the other: no fact differs."""
        first, second = self._texts[one], self._texts[other]
        return first == second or is_copy(*told_apart(first, second))


def _asked(text: str, *, folded_before: bool) -> str:
    if len(text) > _BRIEF:
        return text.lower()
    return without_courtesies(text) if folded_before else bare(text)
