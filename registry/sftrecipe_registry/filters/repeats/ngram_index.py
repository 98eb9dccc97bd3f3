"""The n-grams of benchmarks, and finding them in many texts at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.near_duplicates.token_hashes import Tokens, ngram_hashes, tokens_of

FEWEST = 4
"""Tokens without which an item is not looked for: `true` or `yes` says nothing."""
_ITEMS = 4096
"""Texts of a benchmark that are split together."""


class Item(NamedTuple):
    """A text of a benchmark."""

    benchmark: str
    name: str
    """What tells it among all: file and line, or a row's id."""
    text: str


class Match(NamedTuple):
    """A run of tokens that stands in a benchmark too."""

    begin: int
    """The first of its characters in the text, and after the last."""
    end: int
    gram: int
    """Number of the n-gram in the index."""
    item: Item


class _Grams(NamedTuple):
    """The n-grams of one length, each of a benchmark once."""

    hashes: NDArray[np.uint64]
    """Sorted."""
    items: NDArray[np.int64]
    first: int
    """Number of the first of them."""


class NgramIndex:
    """All n-grams of some items: n is `longest`, or an item's own length where that is less.

    An item with fewer tokens than `shortest` must be a whole text; one with fewer than FEWEST is
    not looked for.
    """

    def __init__(self, items: Sequence[Item], longest: int, shortest: int) -> None:
        self._items = items
        self._shortest = shortest
        self._grams: dict[int, list[_Grams]] = defaultdict(list)
        self.size = 0
        """How many n-grams it holds."""
        self.left_out = 0
        """Items that are too short."""
        of_benchmark: dict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            of_benchmark[item.benchmark].append(place)
        for places in of_benchmark.values():
            self._add(np.array(places), longest)

    def find(self, texts: Sequence[str]) -> tuple[list[list[Match]], list[int]]:
        """The matches in every text, by length of n-gram and place, and each text's tokens."""
        tokens = tokens_of(texts)
        count = np.diff(tokens.first)
        found: list[list[Match]] = [[] for _ in texts]
        for length, benchmarks in self._grams.items():
            fits = count == length if length < self._shortest else count >= length
            if fits.any():
                self._find_length(length, benchmarks, tokens, fits, found)
        return found, count.tolist()

    def _find_length(
        self,
        length: int,
        benchmarks: Iterable[_Grams],
        tokens: Tokens,
        fits: NDArray[np.bool_],
        found: list[list[Match]],
    ) -> None:
        hashes, runs = ngram_hashes(tokens, length)
        texts = np.repeat(np.arange(len(runs)), runs)
        firsts = tokens.first[texts] + np.arange(len(texts)) - (np.cumsum(runs) - runs)[texts]
        for grams in benchmarks:
            at = np.searchsorted(grams.hashes, hashes)
            at[at == len(grams.hashes)] = 0
            hits = ((grams.hashes[at] == hashes) & fits[texts]).nonzero()[0]
            begins = tokens.begins[firsts[hits]].tolist()
            ends = tokens.ends[firsts[hits] + length - 1].tolist()
            places = zip(texts[hits].tolist(), at[hits].tolist(), begins, ends, strict=True)
            for text, gram, begin, end in places:
                item = self._items[grams.items[gram]]
                found[text].append(Match(begin, end, grams.first + gram, item))

    def _add(self, places: NDArray[np.int64], longest: int) -> None:
        """Take the items of one benchmark."""
        hashes: dict[int, list[NDArray[np.uint64]]] = defaultdict(list)
        items: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
        for start in range(0, len(places), _ITEMS):
            some = places[start : start + _ITEMS]
            tokens = tokens_of([self._items[place].text for place in some])
            lengths = np.minimum(np.diff(tokens.first), longest)
            long = lengths >= min(FEWEST, longest)
            self.left_out += int((~long).sum())
            for length in np.unique(lengths[long]).tolist():
                every, runs = ngram_hashes(tokens, length)
                of = np.repeat(np.arange(len(some)), runs)
                wanted = lengths[of] == length
                hashes[length].append(every[wanted])
                items[length].append(some[of[wanted]])
        for length in sorted(hashes):
            distinct, first = np.unique(np.concatenate(hashes[length]), return_index=True)
            grams = _Grams(distinct, np.concatenate(items[length])[first], self.size)
            self._grams[length].append(grams)
            self.size += len(distinct)
