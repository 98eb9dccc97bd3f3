"""Texts as vectors of their words, without a model: hashed TF-IDF."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.text.tokenizers import Tokenize

NUMBERS = 512
"""Numbers of a vector."""
_COUNTED = 1 << 18
"""Places that words share where it is counted in how many texts they stand."""
_TOKENS = 400
"""Tokens of a text that are looked at."""


def hashed_tfidf(texts: Iterable[str], count: int, split: Tokenize) -> NDArray[np.float32]:
    """A vector of length 1 for each text (zeros for one without a token); `texts` is read twice.

    Words and pairs of neighbours, weighed (1 + log tf) · log(n / df), are added up with signs at
    hashed places. Memory: 2 kB a text. Source: Weinberger et al. 2009, feature hashing (arXiv
    0902.2206).
    """
    standing = np.zeros(_COUNTED, np.int64)
    for text in texts:
        standing[np.unique(_hashes(text, split) % _COUNTED)] += 1
    weight = np.log((count + 1) / (standing + 1))
    vectors = np.zeros((count, NUMBERS), np.float32)
    for place, text in enumerate(texts):
        hashes, times = np.unique(_hashes(text, split), return_counts=True)
        signs = np.where(hashes >> 31, -1.0, 1.0)
        values = signs * (1 + np.log(times)) * weight[hashes % _COUNTED]
        vector = np.bincount(hashes % NUMBERS, values, NUMBERS)
        length = float(np.linalg.norm(vector))
        vectors[place] = vector / length if length else 0
    return vectors


def _hashes(text: str, split: Tokenize) -> NDArray[np.int64]:
    tokens = split(text)[:_TOKENS]
    grams = (*tokens, *(f"{one} {two}" for one, two in pairwise(tokens)))
    return np.fromiter((crc32(gram.encode("utf-8", "replace")) for gram in grams), np.int64)
