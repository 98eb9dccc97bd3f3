"""Short texts as sets of shingles of their characters: one word is much of a question of ten, and
little of its letters."""

from __future__ import annotations

from sftrecipe_registry.shared.near_duplicates.shingle_sets import SetCollector, ShingleSets
from sftrecipe_registry.shared.text.scripts import count_words, unspaced_share

_WORDS = 60
"""Words of a short text."""
_LONGEST_WORD = 12
"""Characters a word, beyond which counting is spared."""
_LETTERS, _HAN = 5, 2
"""Characters of a shingle."""
_LEAST = 0.3


def is_short(text: str) -> bool:
    """Whether a text has so few words that its letters are compared too."""
    return len(text) <= _WORDS * _LONGEST_WORD and count_words(text) <= _WORDS


def lowered(similarity: float, by: float) -> float:
    """The similarity for short texts: one wrong letter is in several shingles."""
    return max(similarity - by, min(similarity, _LEAST)) if similarity < 1 else 1.0


class ShortTexts:
    """Collects the short ones among texts, by script; the others have empty sets."""

    def __init__(self) -> None:
        self._letters = SetCollector(_LETTERS, "character")
        self._han = SetCollector(_HAN, "character")

    def add(self, text: str) -> None:
        """Take the next text; an empty one for one that is not short."""
        spaced = text.isascii() or unspaced_share(text) < 1 / 2
        self._letters.add(text if spaced else "")
        self._han.add("" if spaced else text)

    def sets(self) -> tuple[ShingleSets, ShingleSets]:
        """The sets of letters, and of Chinese and Japanese characters."""
        return self._letters.sets(), self._han.sets()
