"""Which words are names: given names, surnames, ordinary words, the famous."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def words_of(name: str, *, lines: bool = False) -> frozenset[str]:
    """The words of a list beside this module, one a line; `lines`: names of several words.

    Given names and surnames are those of the US census of 1990 (public domain) and of Faker (MIT),
    Chinese words those of jieba (MIT); ordinary English words are those that stand in small letters
    in the reference data.
    """
    text = (_FOLDER / f"{name}.txt").read_text("utf-8")
    return frozenset(text.splitlines() if lines else text.split())


@cache
def characters_of(name: str) -> frozenset[str]:
    """The characters of a list beside this module: of given names, of surnames."""
    return frozenset((_FOLDER / f"{name}.txt").read_text("utf-8").strip())


_LETTERS = str.maketrans("łŁøØđĐßæÆœı", "lLoOdDsaAoi")
"""Letters that are no others with a mark."""


def plain_letters(word: str) -> str:
    """A word without the marks on its letters, as the lists have it."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFKD", word.translate(_LETTERS))
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
