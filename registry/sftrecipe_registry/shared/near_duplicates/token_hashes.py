"""Splitting many texts into tokens at once, a 64-bit hash for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.text.scripts import UNSPACED

Unit = Literal["word", "character"]

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

_APART, _SPACED, _ALONE = 0, 1, 2
_CHARACTERS = 0x110000
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xBF58476D1CE4E5B9)


class Tokens(NamedTuple):
    """The tokens of several texts, one after the other."""

    hashes: Hashes
    """Equal for equal tokens; two unequal ones agree with chance 2^-64."""
    begins: Places
    """Where each token begins: a character of its text."""
    ends: Places
    """Where it ends."""
    first: Places
    """The number of each text's first token, and at last the number of all tokens."""


def tokens_of(texts: Sequence[str], unit: Unit = "word") -> Tokens:
    """The tokens of every text, in lower case.

    `word`: runs of letters and digits, and each kana or Han character by itself, as the tokenizer
    `char`; `character`: each letter or digit by itself.
    """
    lowered = [*map(_lowered, texts)]
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) + 1 for text in lowered], out=starts[1:])
    joined = "\n".join([*lowered, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(joined, np.uint32)
    kinds = _kinds()[codes]
    if unit == "character":
        kinds = np.where(kinds == _APART, np.uint8(_APART), np.uint8(_ALONE))
    begins, ends = _bounds(kinds)
    first = np.searchsorted(begins, starts)
    origins = np.repeat(starts[:-1], np.diff(first))
    return Tokens(_hashes(codes, begins, ends), begins - origins, ends - origins, first)


def ngram_hashes(tokens: Tokens, length: int) -> tuple[Hashes, Places]:
    """Hashes of all runs of `length` tokens, and how many each text has.

    A text with fewer tokens has one run, of all of them; a text without any has none.
    """
    count = np.diff(tokens.first)
    runs = np.maximum(count - length + 1, np.minimum(count, 1))
    places = np.repeat(tokens.first[:-1] - (np.cumsum(runs) - runs), runs)
    places += np.arange(len(places))
    return _mixed(_run_hashes(tokens, length)[places]), runs


def _run_hashes(tokens: Tokens, length: int) -> Hashes:
    """Of the run that begins at each token; right where the run ends within its text."""
    factors = _powers(length + 1)[0][1:]
    size = len(tokens.hashes)
    padded = np.concatenate([tokens.hashes, np.zeros(length, np.uint64)])
    runs = np.zeros(size, np.uint64)
    for step in range(length):
        runs += padded[step : step + size] * factors[step]
    count = np.diff(tokens.first)
    short = (count > 0) & (count < length)
    places, left = tokens.first[:-1][short], count[short]
    runs[places] = 0
    for step in range(length - 1):
        runs[places] += np.where(step < left, padded[places + step] * factors[step], np.uint64(0))
    return runs


def _lowered(text: str) -> str:
    """In lower case, as long as it was."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.replace("\u0130", "I").lower()


def _bounds(kinds: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Where tokens begin and end; the last character is apart."""
    spaced = kinds == _SPACED
    alone = kinds == _ALONE
    begins, ends = alone.copy(), alone.copy()
    begins[1:] |= spaced[1:] & ~spaced[:-1]
    begins[:1] |= spaced[:1]
    ends[:-1] |= spaced[:-1] & ~spaced[1:]
    return begins.nonzero()[0], ends.nonzero()[0] + 1


def _hashes(codes: NDArray[np.uint32], begins: Places, ends: Places) -> Hashes:
    """Polynomial hashes of the tokens, modulo 2^64, out of one running sum."""
    powers, inverse = _powers(1 << max(len(codes) - 1, 1).bit_length())
    running = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=running[1:])
    return _mixed((running[ends] - running[begins]) * inverse[begins])


def _mixed(values: Hashes) -> Hashes:
    """Every bit depends on all bits (the finaliser of splitmix64)."""
    values ^= values >> np.uint64(30)
    values *= _MIX
    values ^= values >> np.uint64(29)
    values *= _MIX
    values ^= values >> np.uint64(32)
    return values


@cache
def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Powers of the base modulo 2^64, and of its inverse."""
    inverse = pow(_BASE, -1, 1 << 64)
    both = []
    for base in (_BASE, inverse):
        factors = np.full(size, base, np.uint64)
        factors[:1] = 1
        both.append(np.multiply.accumulate(factors))
    return both[0], both[1]


@cache
def _kinds() -> NDArray[np.uint8]:
    """Of every character: a letter or digit of a spaced script, one of its own, or neither."""
    every = "".join(map(chr, range(_CHARACTERS)))
    kinds = np.zeros(_CHARACTERS, np.uint8)
    for pattern, kind in ((r"\w+", _SPACED), (f"[{UNSPACED}]+", _ALONE)):
        for found in re.finditer(pattern, every):
            kinds[found.start() : found.end()] = kind
    return kinds
