"""Cutting a text of any language into sentences, and packing pieces up to a size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_END = re.compile(
    r"[。！？!?…．｡؟।॥።။។]+[\"'”’」』）)\]】》]*"  # ends a sentence by itself, as does …
    r"|(?<!\.)\.++[\"'”’)\]]*+(?=\s|$)"  # … a full stop before white space: not in 3.5
    r"|\n+"
)
_ABBREVIATED = re.compile(
    r"(?:^|[\s(])(?:[A-Za-z]|Dr|Mr|Mrs|Ms|Prof|St|vs|cf|e\.g|i\.e|approx|Fig)\.$"
)
_CHINESE_END = re.compile(r"[。？！]+")
_CLAUSE_END = re.compile(r"[,;:，；：、\s]+")


def sentences(text: str) -> Iterator[str]:
    """The sentences with all that stands after them up to the next: joined, they are the text.

    Ends of sentences: 。！？ and their like in other scripts, `.` before white space unless it ends
    an initial or a common English abbreviation, and line ends.
    """
    begin = 0
    for found in _END.finditer(text):
        end = found.end()
        if found[0] == "." and _ABBREVIATED.search(text, max(begin - 1, end - 8, 0), end):
            continue
        while end < len(text) and text[end].isspace():
            end += 1
        if end > begin:
            yield text[begin:end]
            begin = end
    if begin < len(text):
        yield text[begin:]


def chinese_sentences(text: str) -> Iterator[str]:
    """The sentences that end at 。？！ alone: joined, they are the text.

    Source: AugCon's released `load_data.py`; English is one sentence to it.
    """
    begin = 0
    for found in _CHINESE_END.finditer(text):
        yield text[begin : found.end()]
        begin = found.end()
    if begin < len(text):
        yield text[begin:]


def packed(pieces: Iterator[str], most: int, size: Callable[[str], int]) -> Iterator[str]:
    """Neighbouring pieces joined up to a size; one that is larger stands alone."""
    held: list[str] = []
    filled = 0
    for piece in pieces:
        measured = size(piece)
        if held and filled + measured > most:
            yield "".join(held)
            held, filled = [], 0
        held.append(piece)
        filled += measured
    if held:
        yield "".join(held)


def cut(sentence: str, most: int, size: Callable[[str], int]) -> Iterator[str]:
    """A sentence in parts no larger than a size: at commas and spaces, else anywhere."""
    if size(sentence) <= most:
        yield sentence
        return
    for part in packed(_clauses(sentence), most, size):
        if size(part) <= most or len(part) == 1:
            yield part
        else:
            middle = len(part) // 2
            yield from cut(part[:middle], most, size)
            yield from cut(part[middle:], most, size)


def _clauses(sentence: str) -> Iterator[str]:
    begin = 0
    for found in _CLAUSE_END.finditer(sentence):
        yield sentence[begin : found.end()]
        begin = found.end()
    if begin < len(sentence):
        yield sentence[begin:]
