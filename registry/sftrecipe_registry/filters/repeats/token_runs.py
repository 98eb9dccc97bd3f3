"""Runs of tokens: those of many texts, and where an index has them too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, ngram_hashes
from sftrecipe_registry.shared.text.scripts import unspaced_share

Hashes = NDArray[np.uint64]


class RunPlace(NamedTuple):
    """A run of a text that stands in an index too."""

    text: int
    token: int
    """Its first."""
    at: int
    """Its place in the index, the first of equal ones."""


class TextRuns:
    """The hashes of every text's runs, made for all texts at once."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._made: dict[int, tuple[Hashes, NDArray[np.int64]]] = {}

    def of(self, text: int, length: int) -> Hashes:
        """Those of `length` tokens of one text, which has as many."""
        if length not in self._made:
            hashes, counts = ngram_hashes(self._tokens, length)
            self._made[length] = hashes, np.concatenate([[0], np.cumsum(counts)])
        hashes, first = self._made[length]
        return hashes[first[text] : first[text + 1]]


class PlacedRuns(NamedTuple):
    """All runs of one length of some texts."""

    hashes: Hashes
    places: NDArray[np.int64]
    """Text and first token of each."""

    @classmethod
    def of(cls, tokens: Tokens, length: int) -> PlacedRuns:
        """Those of texts that are long enough."""
        hashes, runs = ngram_hashes(tokens, length)
        of = np.repeat(np.arange(len(runs)), runs)
        firsts = tokens.first[of] + np.arange(len(of)) - (np.cumsum(runs) - runs)[of]
        fits = np.diff(tokens.first)[of] >= length
        return cls(hashes[fits], np.stack([of[fits], firsts[fits]], axis=1))

    def found_in(self, index: Hashes) -> Iterator[RunPlace]:
        """Those that stand in an index, which is sorted."""
        if not len(index):
            return
        at = np.searchsorted(index, self.hashes)
        at[at == len(index)] = 0
        hits = (index[at] == self.hashes).nonzero()[0]
        places = self.places[hits].tolist()
        for (text, token), place in zip(places, at[hits].tolist(), strict=True):
            yield RunPlace(text, token, place)


def is_unspaced(text: str) -> bool:
    """Whether most of its letters are of a script whose characters count for words."""
    return not text.isascii() and unspaced_share(text) > 1 / 2
