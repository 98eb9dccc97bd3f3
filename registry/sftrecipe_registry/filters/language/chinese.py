"""Which Chinese a text is in: simplified, traditional, Cantonese."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

CHINESE = ("zh", "zh-Hans", "zh-Hant", "yue")
"""What a Chinese text can be called; `zh` where no character tells more."""

_SURELY_CANTONESE = re.compile("[嘅咗喺冇佢唔啲嚟嗰嘢哋噉㗎乜嘥瞓諗攞搵揾冧喎噃攰孭揸曱甴嬲]")
_CANTONESE = re.compile(
    "[嘅咗喺冇佢唔啲嚟嗰嘢哋噉㗎乜嘥瞓諗谂攞搵揾冧喎噃攰孭揸曱甴嬲啱咩嘞啫咪嚿靚睇畀俾咁喇吓]"
    "|[點点](?:解|樣|样|呀|做|去|算)|[邊边](?:度|個|个|間|间|隻|位|似)|[呢](?:個|度|啲|次|間)"
    "|係咪|而家|依家|一齊|少少|下晝|下昼|聽日|听日|琴日|尋日|今晚黑|出街|返工|返學|返学|屋企|得閒|得闲"
    "|鍾意|钟意|幾多|幾時|傾偈|老豆|細佬|細路|飲茶先|食緊|做緊|就得|埋一齊"
)
"""What stands in Cantonese sentences, and hardly in others; the first are in it alone."""
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
    own = _CANTONESE.findall(text)
    if len(own) >= _LEAST_CANTONESE * characters:
        sure = _SURELY_CANTONESE.search(text) is not None
        if (sure and (len(own) > 1 or characters < 25)) or len(set(own)) > 1:
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
