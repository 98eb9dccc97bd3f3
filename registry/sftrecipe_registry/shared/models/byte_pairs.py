"""Counting the tokens of a byte-level BPE vocabulary (GPT-2's kind)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any


@cache
def _words() -> tuple[Any, Any]:
    import regex  # noqa: PLC0415 - only where tokens are counted

    # GPT-2's pattern (openai/gpt-2, encoder.py).
    words = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    return regex.compile(words), regex.compile(r"(\p{N})")


@cache
def _visible() -> dict[int, str]:
    """GPT-2's character for every byte: printable ones stand for themselves."""
    own = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in set(own))
    shifted = {byte: chr(256 + number) for number, byte in enumerate(others)}
    return {**{byte: chr(byte) for byte in own}, **shifted}


class BytePairs:
    """A vocabulary by its merges; digits are tokens of their own (SmolLM's pre-tokenizer)."""

    def __init__(self, merges: Iterable[bytes], special: Iterable[str]) -> None:
        self._ranks: Mapping[bytes, int] = {merge: rank for rank, merge in enumerate(merges)}
        known = sorted(special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, known)) or "(?!)")
        self._counted: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Tokens of a text; special tokens in it count as one each."""
        specials = len(self._special.findall(text))
        return specials + sum(self._plain(part) for part in self._special.split(text) if part)

    def _plain(self, text: str) -> int:
        words, digits = _words()
        pieces = digits.split(text)
        return sum(self._word(word) for piece in pieces for word in words.findall(piece))

    def _word(self, word: str) -> int:
        count = self._counted.get(word)
        if count is None:
            count = self._counted[word] = self._merged(word)
        return count

    def _merged(self, word: str) -> int:
        visible, ranks = _visible(), self._ranks
        parts = [visible[byte].encode() for byte in word.encode()]
        while len(parts) > 1:
            pairs = (b"%b %b" % pair for pair in pairwise(parts))
            rank, at = min((ranks.get(pair, len(ranks)), at) for at, pair in enumerate(pairs))
            if rank == len(ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return len(parts)
