"""Which Chinese a text is in: simplified, traditional, Cantonese."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

CHINESE = ("zh", "zh-Hans", "zh-Hant", "yue")
"""What a Chinese text can be called; `zh` where no character tells more."""

_CANTONESE = re.compile(
    "[嘅咗喺冇佢唔啲嚟嗰嘢哋嗌諗谂攞搵揾嬲瞓嘥冧啱咩噉喎啫㗎嗮嘞噃咪嘈揸曱甴孭攰靚]|點解|点解|點樣|乜嘢|邊度|邊個|呢個|呢啲"
    "|咁樣|係咪|而家|依家|畀|俾|睇|咁|乜|嗱"
)
_SURELY_CANTONESE = re.compile("[嘅咗喺冇佢唔啲嚟嗰嘢哋噉㗎]")
_LEAST_CANTONESE = 0.035
"""Share of Cantonese characters from which on a text is Cantonese: one in a quotation is not it."""
_LEAST_WRITTEN = 0.75
"""Share of the telling characters that must be of one way of writing."""


@cache
def _variants() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Characters that are only simplified, and only traditional (OpenCC, Apache-2.0)."""
    table = files(__package__) / "han_variants.txt"
    simplified, traditional = table.read_text("utf-8").split()
    return re.compile(f"[{simplified}]"), re.compile(f"[{traditional}]")


def chinese_variant(text: str, characters: int) -> str:
    """The Chinese of a text with so many Chinese characters; `zh` where both or neither are told.

    Cantonese by its own characters, whichever way it is written.
    """
    if _SURELY_CANTONESE.search(text):
        own = len(_CANTONESE.findall(text))
        if own >= _LEAST_CANTONESE * characters and (own > 1 or characters < 25):
            return "yue"
    simplified, traditional = (len(found.findall(text)) for found in _variants())
    telling = simplified + traditional
    if not telling:
        return "zh"
    if simplified >= _LEAST_WRITTEN * telling:
        return "zh-Hans"
    return "zh-Hant" if traditional >= _LEAST_WRITTEN * telling else "zh"


def speaks(language: str, wanted: str) -> bool:
    """Whether a text in this language is in the wanted one, as far as the text tells."""
    if language == wanted:
        return True
    if wanted == "zh":
        return language in CHINESE
    return language == "zh" and wanted in CHINESE
