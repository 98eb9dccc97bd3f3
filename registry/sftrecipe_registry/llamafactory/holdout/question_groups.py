"""Questions that are nearly the same, in groups."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.meaning.courtesies import bare
from sftrecipe_registry.shared.near_duplicates.set_groups import joined_groups
from sftrecipe_registry.shared.near_duplicates.shingle_sets import (
    HASH_BITS,
    SetCollector,
    ShingleSets,
)
from sftrecipe_registry.shared.near_duplicates.short_texts import ShortTexts, is_short, lowered

_WORDS_OFF, _LETTERS_OFF = 0.15, 0.1
"""How much lower the similarity may be than is asked for: one word changed of eight takes a fifth
off, and one wrong letter is in five shingles. At `apart: 0.7` 136 of 143 pairs of different real
questions with a cosine of 0.95 are found (decision 031)."""
_WEIGHTS = 5
"""Weight of the rarest words."""
_LOW_BITS, _STEP = 8, 37
_FEWEST = 20
_SHARE = 0.01
"""Questions, and their share, with one line from which on it asks nothing: what all have above
their question, or what dialogues end in."""
_CELLS = 1 << 20


class LineCounts:
    """In how many questions a line stands, about: 4 MB, however many there are."""

    def __init__(self) -> None:
        self._cells = np.zeros(_CELLS, np.uint32)
        self._texts = 0

    def add(self, text: str) -> None:
        """Count the lines of a question that has several."""
        self._texts += 1
        if "\n" in text:
            self._cells[[*{_cell(line) for line in text.splitlines()}]] += 1

    def asked(self, text: str) -> str:
        """The lines that few questions have; all of them where there are no others."""
        if "\n" not in text:
            return text
        least = max(_FEWEST, _SHARE * self._texts)
        lines = text.splitlines()
        own = [line for line in lines if self._cells[_cell(line)] < least]
        return "\n".join(own) if any(map(str.strip, own)) else text


def _cell(line: str) -> int:
    return crc32(line.strip().encode("utf-8", "surrogatepass")) % _CELLS


class QuestionGroups:
    """Takes different questions, then tells which are nearly the same.

    Some 50 bytes a word are held. Pairs with a rare word in common are compared.
    """

    def __init__(self) -> None:
        self._words = SetCollector(1, "word")
        self._short = ShortTexts()

    def add(self, text: str) -> None:
        """Take the next question."""
        plain = bare(text)
        self._words.add(plain)
        self._short.add(plain if is_short(plain) else "")

    def labels(self, apart: float) -> NDArray[np.int64]:
        """Of every question the first of its group."""
        words = weighted(self._words.sets())
        found = joined_groups(words, lowered(apart, _WORDS_OFF), np.arange(len(words.sizes)))
        for sets in self._short.sets():
            found = joined_groups(sets, lowered(apart, _LETTERS_OFF), found)
        return found


def weighted(sets: ShingleSets) -> ShingleSets:
    """The sets with every value as often as it weighs: Jaccard's index then counts weights.

    Of 10,000 sets, a value in 3,200 or more weighs 1, one in less than 4 weighs 5: what all
    questions have in common makes no two of them alike.
    """
    if not len(sets.values):
        return sets
    values, places, counts = np.unique(sets.values, return_inverse=True, return_counts=True)
    count = len(sets.sizes)
    rarity = np.log2(count / counts) / max(np.log2(count), 1.0)
    weights = (1 + np.rint((_WEIGHTS - 1) * rarity).astype(np.int64))[places]
    again = np.arange(weights.sum()) - np.repeat(np.cumsum(weights) - weights, weights)
    # By rarity, as a prefix is cut by it, however common values are; the low bits are a bitmap's.
    ranks = np.empty(len(values), np.uint64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(values), dtype=np.uint64)
    named = (ranks * np.uint64((1 << HASH_BITS - _LOW_BITS) // len(values))) << np.uint64(_LOW_BITS)
    low = np.repeat(values[places], weights) + np.uint64(_STEP) * again.astype(np.uint64)
    mixed = np.repeat(named[places], weights) | low & np.uint64((1 << _LOW_BITS) - 1)
    first = np.concatenate([[0], np.cumsum(weights)])[sets.first]
    of = np.repeat(np.arange(len(first) - 1), np.diff(first))
    mixed = mixed[np.lexsort((mixed, of))]
    return ShingleSets(mixed, first)
