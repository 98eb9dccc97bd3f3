"""Full-width and half-width forms of the same character: `Ａ` is `A`, `ｶﾞ` is `ガ`."""

from __future__ import annotations

from functools import cache
from unicodedata import normalize


@cache
def _common_forms() -> dict[int, str]:
    forms = map(chr, (0x3000, *range(0xFF01, 0xFFEF)))
    return {ord(form): normalize("NFKC", form) for form in forms}


def one_width(text: str) -> str:
    """The text with characters of either width alike.

    Not NFKC of the whole text, which takes `①` for `1`, `x²` for `x2` and `…` for `...`, too.
    """
    return text if text.isascii() else normalize("NFC", text.translate(_common_forms()))
