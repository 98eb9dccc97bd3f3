"""The heuristics by which Self-Instruct and Alpaca throw new instructions away."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Literal, NamedTuple
from unicodedata import category

from sftrecipe_registry.shared.text.scripts import base_language, count_words
from sftrecipe_registry.shared.text.word_list import word_finder

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

BEYOND_TEXT_ZH = (
    "图片",
    "图像",
    "图表",
    "图中",
    "下图",
    "上图",
    "照片",
    "截图",
    "流程图",
    "示意图",
    "地图",
    "视频",
    "音频",
    "录音",
    "音乐",
    "附件",
    "文件",
    "画一",
    "绘制",
)
"""What a model of text cannot see or do, in Chinese."""

LISTS = {"en": BEYOND_TEXT_ALPACA, "zh": (*BEYOND_TEXT_ZH, *BEYOND_TEXT_ALPACA)}
"""The built-in lists, by language."""

PROGRAMS = {
    "en": ("Write a program",),
    "zh": ("编写一个程序", "写一个程序", "编写程序", "写一段程序"),
}
"""How instructions begin of which the models wrote too many, by language."""

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


def fault_finder(rules: Rules, language: str = "en") -> Callable[[str], Fault | None]:
    """A function that gives an instruction's first fault in the original's order, or None.

    Source: self-instruct `bootstrap_instructions.py` and stanford_alpaca `generate_instruction.py`,
    for English. Both throw away whatever begins with a non-ASCII character, all Chinese; in another
    language an instruction may, kana and Han characters count as words, and Chinese has a word list
    of its own.
    """
    spoken = base_language(language)
    english = BEYOND_TEXT if rules == "self_instruct" else BEYOND_TEXT_ALPACA
    listed = word_finder(english if spoken == "en" else LISTS.get(spoken, english))
    programs = (*PROGRAMS["en"], *(PROGRAMS.get(spoken, ()) if spoken != "en" else ()))

    count = count_words if spoken != "en" else _spaced

    def fault(text: str) -> Fault | None:
        if by_length := _length_fault(text, count):
            return by_length
        if found := listed(text):
            return Fault("blacklisted", None, found)
        if text.startswith(programs):
            return Fault("write_a_program")
        return _first_fault(text[0], foreign=spoken != "en")

    return fault


def _spaced(text: str) -> int:
    return len(text.split())


def _length_fault(text: str, count: Callable[[str], int]) -> Fault | None:
    if not text:
        return Fault("empty")
    words = count(text)
    if words < MIN_WORDS:
        return Fault("too_short", words, "words")
    return Fault("too_long", words, "words") if words > MAX_WORDS else None


def _first_fault(first: str, *, foreign: bool) -> Fault | None:
    if first in string.punctuation or (foreign and category(first).startswith("P")):
        return Fault("punctuation_first", None, first)
    return None if foreign or first.isascii() else Fault("non_ascii_first", None, first)
