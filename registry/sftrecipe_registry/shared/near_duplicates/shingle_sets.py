"""The sets of shingles (runs of tokens) of many texts, in little memory."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.token_hashes import Unit, ngram_hashes, tokens_of

HASH_BITS = 48
"""Of a shingle's hash: two sets of 1,000 shingles hold an accidental pair with chance 4e-9."""

_TEXTS = 1 << 64 - HASH_BITS
_CHARACTERS = 1 << 18
"""Of texts that are split together: what fits a processor's cache."""


class ShingleSets(NamedTuple):
    """Sets of 48-bit hashes, one after the other, each sorted."""

    values: NDArray[np.uint64]
    first: NDArray[np.int64]
    """Where each set begins, and at last where all end."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many shingles each set has."""
        return np.diff(self.first)


class SetCollector:
    """Makes the set of every text that it is given: its runs of `length` tokens.

    A text without tokens has an empty set. Memory: 8 bytes a distinct shingle of each text, and the
    texts of one batch.
    """

    def __init__(self, length: int, unit: Unit) -> None:
        self._length = length
        self._unit: Unit = unit
        self._texts: list[str] = []
        self._characters = 0
        self._values: deque[NDArray[np.uint64]] = deque()
        self._sizes = [np.zeros(1, np.int64)]

    def add(self, text: str) -> None:
        """Take the next text."""
        self._texts.append(text)
        self._characters += len(text)
        if self._characters >= _CHARACTERS or len(self._texts) == _TEXTS:
            self._close_batch()

    def sets(self) -> ShingleSets:
        """The sets of all texts; it keeps nothing itself."""
        self._close_batch()
        first = np.cumsum(np.concatenate(self._sizes))
        return ShingleSets(_moved(self._values, int(first[-1])), first)

    def _close_batch(self) -> None:
        values, sizes = _sets_of(self._texts, self._length, self._unit)
        self._values.append(values)
        self._sizes.append(sizes)
        self._texts, self._characters = [], 0


def _sets_of(
    texts: list[str], length: int, unit: Unit
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    hashes, runs = ngram_hashes(tokens_of(texts, unit), length)
    bits = np.uint64(HASH_BITS)
    keys = hashes >> np.uint64(64 - HASH_BITS)
    keys |= np.repeat(np.arange(len(texts), dtype=np.uint64) << bits, runs)
    keys.sort()
    keys = keys[np.diff(keys, prepend=~keys[:1]) != 0]
    sizes = np.bincount((keys >> bits).astype(np.intp), minlength=len(texts))
    return keys & np.uint64((1 << HASH_BITS) - 1), sizes


def _moved(parts: deque[NDArray[np.uint64]], size: int) -> NDArray[np.uint64]:
    """The parts joined, each given back as soon as it is copied."""
    joined = np.empty(size, np.uint64)
    place = 0
    while parts:
        part = parts.popleft()
        joined[place : place + len(part)] = part
        place += len(part)
    return joined
