"""Runs of tokens: those of many texts, and where an index has them too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens
from sftrecipe_registry.shared.text.scripts import unspaced_share

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
_BASE = 0xD6E8FEB86659FD93
_A_RUN = 8
"""Places of the filter for a run of the index, at least: a ninth of other runs pass it."""


class RunPlace(NamedTuple):
    """A run of a text that stands in an index too."""

    text: int
    token: int
    """Its first."""
    at: int
    """Its place in the index, the first of equal ones."""


class RunIndex(NamedTuple):
    """Hashes to look for."""

    hashes: Hashes
    """Sorted."""
    may_hold: NDArray[np.bool_]
    """By a hash's first bits whether one begins with them: a search among all costs 20 times as
    much."""

    @classmethod
    def of(cls, hashes: Hashes) -> RunIndex:
        """An index of sorted hashes."""
        may_hold = np.zeros(1 << (_A_RUN * max(len(hashes), 1)).bit_length(), bool)
        may_hold[_first_bits(hashes, may_hold)] = True
        return cls(hashes, may_hold)

    def places(self, hashes: Hashes) -> tuple[Places, Places]:
        """Which of the hashes it has, and where, of equal ones the first."""
        likely = self.may_hold[_first_bits(hashes, self.may_hold)].nonzero()[0]
        at = np.searchsorted(self.hashes, hashes[likely])
        at[at == len(self.hashes)] = 0
        found = (self.hashes[at] == hashes[likely]).nonzero()[0]
        return likely[found], at[found]


class TokenRuns:
    """The runs of some texts' tokens, by their length."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._made = {1: tokens.hashes}

    def of(self, text: int, length: int) -> Hashes:
        """Those of one text, which has as many tokens."""
        first, behind = self.tokens.first[text : text + 2]
        return self._hashes(length)[first : behind - length + 1]

    def found_in(self, index: RunIndex, length: int) -> Iterator[RunPlace]:
        """Those that stand in an index."""
        return map(RunPlace, *(each.tolist() for each in self.places_in(index, length)))

    def places_in(self, index: RunIndex, length: int) -> tuple[Places, Places, Places]:
        """The same as numbers of texts, tokens and places in the index."""
        if not len(index.hashes) or not len(self.tokens.hashes):
            none = np.zeros(0, np.int64)
            return none, none, none
        first = self.tokens.first
        tokens, at = index.places(self._hashes(length))
        texts = np.searchsorted(first, tokens, "right") - 1
        whole = tokens + length <= first[texts + 1]
        return texts[whole], tokens[whole], at[whole]

    def _hashes(self, length: int) -> Hashes:
        """Of the run that begins at each token, also where it ends in another text.

        Of two shorter ones: the longest half that is a power of two, and the rest.
        """
        if length not in self._made:
            half = 1 << (length - 1).bit_length() - 1
            rest = length - half
            made = self._hashes(half) * np.uint64(pow(_BASE, rest, 1 << 64))
            made[: len(made) - half] += self._hashes(rest)[half:]
            self._made[length] = made
        return self._made[length]


def _first_bits(hashes: Hashes, table: NDArray[np.bool_]) -> Hashes:
    return hashes >> np.uint64(65 - len(table).bit_length())


def is_unspaced(text: str) -> bool:
    """Whether most of its letters are of a script whose characters count for words."""
    return not text.isascii() and unspaced_share(text) > 1 / 2
