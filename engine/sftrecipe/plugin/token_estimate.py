"""Tokens of a text where no tokenizer counts them."""

from __future__ import annotations

import re

_ASCII = re.compile(r"[A-Za-z]+|[^A-Za-z\s]")
_LETTERS_A_TOKEN = 4


def tokens_of(text: str) -> int:
    """Tokens of a text by its script, rather too many than too few."""
    if text.isascii():
        return _ascii_tokens(text)
    wide = len(text.encode("utf-8", "surrogatepass")) - len(text)
    plain = "".join(letter if letter.isascii() else " " for letter in text)
    others = sum(not letter.isascii() for letter in text)
    # Two bytes more for a Chinese character, one for a Cyrillic letter, three for an emoji.
    return _ascii_tokens(plain) + max(others, (wide * 3 + 3) // 5)


def _ascii_tokens(text: str) -> int:
    """Words by their length, each digit and each sign."""
    return sum(1 + (len(part) - 1) // _LETTERS_A_TOKEN for part in _ASCII.findall(text))
