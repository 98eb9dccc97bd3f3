"""A question about a context as numbers, without a model: hashed n-grams and a few measures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from sftrecipe_registry.shared.text.tokenizers import Tokenize

HASHED = 1024
"""Places that the n-grams of a question share."""
MEASURES = 8
_OPENING = 3
"""Tokens at the beginning, which tell what kind of question it is."""


def question_features(context: str, question: str, split: Tokenize) -> NDArray[np.float32]:
    """`HASHED` + `MEASURES` numbers: what is asked and how, and what the context has of it."""
    tokens, around = split(question), split(context)
    features = np.zeros(HASHED + MEASURES, np.float32)
    for gram in _grams(tokens):
        features[crc32(gram.encode()) % HASHED] += 1
    length = float(np.linalg.norm(features))
    if length:
        features /= length
    features[HASHED:] = _measures(question, context, tokens, around)
    return features


def _grams(tokens: Sequence[str]) -> list[str]:
    """Words, neighbours, and how the question opens."""
    pairs = [f"{one} {two}" for one, two in pairwise(tokens)]
    return [*tokens, *pairs, f"^{' '.join(tokens[:_OPENING])}", f"^{' '.join(tokens[:1])}"]


def _measures(
    question: str, context: str, tokens: Sequence[str], around: Sequence[str]
) -> tuple[float, ...]:
    own, there = set(tokens), set(around)
    common = len(own & there)
    return (
        common / max(len(own), 1),
        common / max(len(there), 1),
        log(1 + len(tokens)),
        log(1 + len(around)),
        len(own) / max(len(tokens), 1),
        float(question.rstrip().endswith(("?", "？"))),
        float(any(mark in question for mark in ",，;；")),
        float(sum(letter.isdigit() for letter in question) / max(len(question), 1)),
    )
