"""The heuristics by which Self-Instruct and Alpaca throw new instructions away."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Literal, NamedTuple

from sftrecipe_registry.shared.word_list import word_finder

Rules = Literal["self_instruct", "alpaca"]

BEYOND_TEXT = (
    "image",
    "images",
    "graph",
    "graphs",
    "picture",
    "pictures",
    "file",
    "files",
    "map",
    "maps",
    "draw",
    "plot",
    "go to",
)
"""What a model of text cannot see or do, as Self-Instruct lists it."""

BEYOND_TEXT_ALPACA = (*BEYOND_TEXT, "video", "audio", "music", "flowchart", "diagram")
"""The same, as Alpaca lists it."""

MIN_WORDS = 4
MAX_WORDS = 150


class Fault(NamedTuple):
    """What is wrong with an instruction."""

    reason: str
    """`empty`, `too_short`, `too_long`, `blacklisted`, `write_a_program`, `punctuation_first` or
    `non_ascii_first`."""
    value: float | None = None
    """The number of words, where that is the reason."""
    detail: str = ""
    """The word or character that was found."""


def fault_finder(rules: Rules) -> Callable[[str], Fault | None]:
    """A function that gives an instruction's first fault in the original's order, or None.

    Source: self-instruct `bootstrap_instructions.py` and stanford_alpaca `generate_instruction.py`.
    Both throw away whatever begins with a non-ASCII character: all Chinese instructions.
    """
    listed = word_finder(BEYOND_TEXT if rules == "self_instruct" else BEYOND_TEXT_ALPACA)

    def fault(text: str) -> Fault | None:
        if by_length := _length_fault(text):
            return by_length
        if found := listed(text):
            return Fault("blacklisted", None, found)
        return _beginning_fault(text)

    return fault


def _length_fault(text: str) -> Fault | None:
    if not text:
        return Fault("empty")
    words = len(text.split())
    if words < MIN_WORDS:
        return Fault("too_short", words, "words")
    return Fault("too_long", words, "words") if words > MAX_WORDS else None


def _beginning_fault(text: str) -> Fault | None:
    if text.startswith("Write a program"):
        return Fault("write_a_program")
    if text[0] in string.punctuation:
        return Fault("punctuation_first", None, text[0])
    return None if text[0].isascii() else Fault("non_ascii_first", None, text[0])
