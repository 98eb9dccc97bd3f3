"""How many numbers the embeddings of one model have, where a server slips in others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

ODD_EMBEDDING = "odd_embedding"
"""Reason of a row whose embedding is not as wide as most."""


def usual_width(widths: Iterable[int]) -> int:
    """The commonest width, the first of equals; 0 where there is none."""
    return next((width for width, _ in Counter(widths).most_common(1)), 0)


def told_width(width: int, usual: int) -> str:
    """What to say of an embedding of another width than most."""
    return f"{width} numbers, most embeddings have {usual}"
