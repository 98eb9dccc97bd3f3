"""Whether a text says something, whatever its case, width and spaces."""

from __future__ import annotations

import re
import unicodedata


def folded(text: str) -> str:
    """The text in one case and width, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def says(text: str, fact: str) -> bool:
    """Whether the fact stands in the text; not within a longer word or number (`42` in `142`).

    Between Chinese characters any place is one between words.
    """
    wanted = folded(fact)
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", wanted) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]\Z", wanted) else ""
    return re.search(before + re.escape(wanted) + after, folded(text)) is not None
