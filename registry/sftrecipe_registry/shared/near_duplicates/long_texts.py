"""Very long texts that are nearly the same: what each says that the other does not."""

from __future__ import annotations

import re

LONG = 20_000
"""Characters of a text that is compared as a whole; a longer one by what differs, as much."""
_AROUND = 1_000
"""Characters before and after what differs, which show that the texts are long."""
_SENTENCES = re.compile(r"(?<=[.!?。！？\n])\s*")


def told_apart(first: str, second: str) -> tuple[str, str]:
    """Both as they are; where one is very long, what stands between their common beginning and
    end, of that the sentences of one alone, each with a little of what they share around it."""
    if max(len(first), len(second)) <= LONG:
        return first, second
    begin = _shared(first, second)
    end = min(_shared(first[::-1], second[::-1]), len(first) - begin, len(second) - begin)
    before = first[max(begin - _AROUND, 0) : begin]
    after = first[len(first) - end : len(first) - end + _AROUND]
    own = first[begin : len(first) - end], second[begin : len(second) - end]
    if max(map(len, own)) > LONG:
        own = _own_sentences(*own)
    one, other = (f"{before}{part[:LONG]}{after}" for part in own)
    return one, other


def _shared(first: str, second: str) -> int:
    """Characters that both begin with."""
    width = min(len(first), len(second))
    for start in range(0, width, LONG):
        parts = first[start : start + LONG], second[start : start + LONG]
        if parts[0] != parts[1]:
            pairs = enumerate(zip(*parts, strict=False))
            short = min(map(len, parts))
            return start + next((at for at, (one, other) in pairs if one != other), short)
    return width


def _own_sentences(first: str, second: str) -> tuple[str, str]:
    one, other = (_SENTENCES.split(text) for text in (first, second))
    mine, theirs = set(one), set(other)
    return (
        " ".join(part for part in one if part not in theirs),
        " ".join(part for part in other if part not in mine),
    )
