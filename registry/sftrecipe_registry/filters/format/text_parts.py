"""A text taken apart at its final marks: into sentences and lines, or into clauses."""

from __future__ import annotations

import re

_SENTENCE_ENDS = re.compile(r"([.!?])\s+")
_CLAUSE_ENDS = re.compile(r"([.!?,;:])\s+")


def units(text: str) -> list[str]:
    """Its sentences and lines, with their final marks."""
    return _parts(_SENTENCE_ENDS.sub(r"\1\n", text), ";", "。！？；")


def clauses(text: str) -> list[str]:
    """The same, taken apart at commas and colons, too."""
    return _parts(_CLAUSE_ENDS.sub(r"\1\n", text), ";,", "。！？；，、：")


def _parts(text: str, marks: str, wide_marks: str) -> list[str]:
    """What stands between line breaks and behind each mark."""
    for mark in marks if text.isascii() else marks + wide_marks:
        if mark in text:
            text = text.replace(mark, f"{mark}\n")
    return [part for part in text.split("\n") if part]
