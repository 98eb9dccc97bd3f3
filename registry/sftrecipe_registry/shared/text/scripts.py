"""Scripts written without spaces between words (Chinese, Japanese), and counting their words."""

from __future__ import annotations

import re
from functools import cache

UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\U00020000-\U0003fffd"
)
"""Kana and Han characters, as ranges for a character class: each counts as one word."""

_SEPARATING = "\u3000-\u3004\u3008-\u303f\uff00-\uff0f\uff1a-\uff20\u2018-\u201f"


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")  # 2 ms, which `validate` need not spend


@cache
def _separators() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}{_SEPARATING}]")


def has_unspaced(text: str) -> bool:
    """Whether the text holds kana or Han characters."""
    return not text.isascii() and _unspaced().search(text) is not None


def count_words(text: str) -> int:
    """Words separated by white space; each kana or Han character counts as a word of its own.

    Chinese punctuation separates words and counts for nothing.
    """
    if text.isascii():
        return len(text.split())
    characters = len(_unspaced().findall(text))
    if not characters:
        return len(text.split())
    return characters + len(_separators().sub(" ", text).split())


def base_language(language: str) -> str:
    """`zh` of `zh-CN`, `zh_Hans` or `ZH`."""
    return re.split(r"[-_]", language.lower(), maxsplit=1)[0]


def unspaced_share(text: str) -> float:
    """Share of kana and Han characters among the letters; 0 for a text without letters."""
    letters = sum(character.isalpha() for character in text)
    return len(_unspaced().findall(text)) / letters if letters else 0.0
