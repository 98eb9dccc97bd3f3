"""Which patterns may match a text, asked of all of them at once by texts that each of them needs.

The texts are in safety_needed.*.json: benchmarks/filters/needed_texts.py works them out of the
patterns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Generic, TypeVar

Texts = frozenset[str]
Name = TypeVar("Name")
Key = TypeVar("Key")
_Table = dict[Key, list[tuple[str, set[Name]]]]

_BEGINNING = 4
"""Characters of a word by which texts are told apart."""
_PIECE = 2
"""Characters of a piece of a text without words."""
_FEW = 60
"""Texts that are as quickly looked for one by one."""

SPACES = str.maketrans(
    {chr(code): " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
)
"""A space for whatever is no letter or digit of ASCII, nor an underscore."""


def spaced(text: str) -> str:
    """A text in the form in which needed texts of English are looked for in it.

    Whatever is no letter or digit of ASCII is a space: what is beyond it may begin or end a word.
    """
    plain = text if text.isascii() else text.encode("ascii", "replace").decode("ascii")
    return f" {plain.translate(SPACES)} "


class TextIndex(Generic[Name]):
    """Which of many names have a needed text in a text, told from its words' beginnings.

    Those that may stand within a word are looked for by pieces of two characters if they are many,
    as they are in Chinese, and one by one if they are few.
    """

    def __init__(self, needed: Mapping[Name, Texts | None]) -> None:
        """Index the texts by what few others have."""
        self._always = frozenset(name for name, texts in needed.items() if texts is None)
        names_of: dict[str, set[Name]] = {}
        for name, texts in needed.items():
            for text in texts or ():
                names_of.setdefault(text, set()).add(name)
        inside = sorted(text for text in names_of if not _word_begins(text))
        many = len(inside) > _FEW
        self._singly = [(text, names_of[text]) for text in inside if not many or len(text) < _PIECE]
        self._by_word: _Table[str, Name] = {}
        self._by_piece: _Table[tuple[str, ...], Name] = {}
        counts = Counter(piece for text in inside for piece in _pieces(text))
        for text, names in sorted(names_of.items()):
            if begin := _word_begins(text):
                self._by_word.setdefault(begin, []).append((text, names))
            elif many and len(text) >= _PIECE:
                rarest = min(_pieces(text), key=lambda one: (counts[one], one))
                self._by_piece.setdefault(rarest, []).append((text, names))

    def possible(self, text: str) -> set[Name]:
        """The names whose expressions may match this text, in the form for which they were made."""
        found = set(self._always)
        likely = [self._singly]
        if self._by_word:
            begins = {word[:_BEGINNING] for word in text.split()}
            likely += [self._by_word[begin] for begin in begins & self._by_word.keys()]
        if self._by_piece:
            pieces = set(_pieces(text))
            likely += [self._by_piece[piece] for piece in pieces & self._by_piece.keys()]
        for few in likely:
            for needed, names in few:
                if needed in text:
                    found |= names
        return found


def _word_begins(text: str) -> str:
    """The beginning of the longest word that must stand where the text stands; empty: none must."""
    words = text.split()
    last = len(words) - 1
    known = [
        word
        for place, word in enumerate(words)
        if (place or text[0] == " ")
        and (place < last or text[-1] == " " or len(word) >= _BEGINNING)
    ]
    return max(known, key=len, default="")[:_BEGINNING]


def _pieces(text: str) -> Iterator[tuple[str, ...]]:
    return pairwise(text)
