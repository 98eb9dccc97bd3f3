"""Part of worker.py: how many tokens rows are, cut where they are cut."""

from __future__ import annotations

import heapq
import json
from typing import Any

SAMPLE = 400
"""Rows that are encoded for the mean, drawn evenly."""
LONGEST = 32
"""Rows that are encoded for the longest one: those with the most bytes."""


def row_lengths(encoder: Any, path: str, rows: int) -> dict[str, float] | None:
    """The most tokens of a sequence, and the mean; None where nothing can be encoded."""
    every = max(1, rows // SAMPLE)
    longest: list[tuple[int, int, str]] = []
    sizes = []
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        for number, line in enumerate(file):
            entry = (len(line), number, line)
            if len(longest) < LONGEST:
                heapq.heappush(longest, entry)
            elif entry > longest[0]:
                heapq.heapreplace(longest, entry)
            if number % every == 0:
                sizes += _sizes(encoder, line)
    most = [size for _, _, line in longest for size in _sizes(encoder, line)]
    if not sizes or not most:
        return None
    return {"longest": max(*most, *sizes), "mean": sum(sizes) / len(sizes)}


def _sizes(encoder: Any, line: str) -> list[int]:
    """Tokens of a row's sequences; none where it cannot be encoded, which is told elsewhere."""
    try:
        return [len(tokens) for tokens, _ in encoder.sequences(json.loads(line), encoder.cutoff)]
    except Exception:
        return []
