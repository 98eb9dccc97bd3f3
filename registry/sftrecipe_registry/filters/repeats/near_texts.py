"""The texts that `near_dedup` compares, as sets of shingles by their length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.meaning.copies import is_copy
from sftrecipe_registry.shared.meaning.courtesies import bare, folded
from sftrecipe_registry.shared.meaning.traditional import simplified
from sftrecipe_registry.shared.near_duplicates.set_families import Family
from sftrecipe_registry.shared.near_duplicates.set_join import Repeats, find_repeats
from sftrecipe_registry.shared.near_duplicates.shingle_sets import SetCollector
from sftrecipe_registry.shared.near_duplicates.token_hashes import Unit
from sftrecipe_registry.shared.text.scripts import count_words, unspaced_share

_SHORT = 60
"""Words of a short text: one word is a fifth of the shingles of a question of ten."""
_BRIEF = 250
"""Characters of a text that a greeting would be a large part of."""
_LONGEST_WORD = 12
"""Characters a word, beyond which counting is spared."""
_LONG_SHINGLE = 5
_LETTERS = 5
_HAN = 2
"""Characters of a short text's shingle."""
_LENIENCE = 0.25
"""How much lower the similarity of short texts may be: one wrong letter is in four shingles, and a
greeting as long as half a question."""


class NearTexts:
    """Collects texts, then finds which repeat another."""

    def __init__(self, shingle: int | str, unit: Unit) -> None:
        self._auto = isinstance(shingle, str)
        self._words = SetCollector(_LONG_SHINGLE if isinstance(shingle, str) else shingle, unit)
        self._letters = SetCollector(_LETTERS, "character")
        self._han = SetCollector(_HAN, "character")
        self._texts: list[str] = []
        self._count = 0
        self._spoken: NDArray[np.bool_] | None = None

    def add(self, text: str) -> None:
        """Take the next text."""
        if self._auto:
            self._texts.append(text)
            text = text if text.isascii() else simplified(folded(text))
            self._add_short(text)
        self._words.add(text)
        self._count += 1

    def _add_short(self, text: str) -> None:
        letters = han = ""
        if len(text) <= _SHORT * _LONGEST_WORD and count_words(text) <= _SHORT:
            plain = bare(text) if len(text) <= _BRIEF else text.lower()
            if plain.isascii() or unspaced_share(plain) < 0.5:
                letters = plain
            else:
                han = plain
        self._letters.add(letters)
        self._han.add(han)

    def spoken(self) -> NDArray[np.bool_]:
        """Which texts have a word."""
        self._sets = self._words.sets()
        found: NDArray[np.bool_] = self._sets.sizes > 0
        return found

    def repeats(self, at_least: float, ranked: NDArray[np.int64], fixed: int) -> Repeats:
        """What every text repeats; after `spoken`."""
        if not self._auto:
            return find_repeats(self._sets, at_least, ranked, fixed)
        lower = max(at_least - _LENIENCE, min(at_least, 0.3)) if at_least < 1 else 1.0
        others = [Family(each.sets(), lower) for each in (self._letters, self._han)]
        return find_repeats(self._sets, at_least, ranked, fixed, others=others, same=self._same)

    def _same(self, one: int, other: int) -> bool:
        """Whether one is a copy of the other: no fact differs."""
        return is_copy(self._texts[one], self._texts[other])
