"""Text that was read in a wrong encoding, put right; correct text stays as it is."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

_LOGO = b"\xf0".decode("mac_roman")
_SUSPECT = "[\x80-\u2012\u2020\u2021\u2027-\u2fff\uf8ff\ufb01\ufb02\ufffd]"
"""All mojibake has one of these; Chinese, full-width and common punctuation are none of them."""
_REACH = 6
"""Characters that ftfy looks at together at most."""
_SUSPECTS = re.compile(f"(?s:{_SUSPECT}(?:.{{0,{_REACH}}}{_SUSPECT})*)")
_MAC_ROMAN_EMOJI = re.compile(
    r"(?<!\w)\uf8ff?ü[åçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´]"
    r"[ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø]"
)
"""An emoji read as Mac-Roman, whose first character (Apple's logo) got lost on the way."""


def repaired(text: str) -> str:
    """The text without encoding damage; the very same object where there is none to repair.

    Only UTF-8 that was read as Latin, Cyrillic, Greek or Mac-Roman bytes is repaired: quotation
    marks, full-width characters, ligatures and line ends stay.
    """
    if text.isascii() or not (found := _SUSPECTS.search(text)):
        return text
    fixed = _fixed_by_ftfy(text) if _looks_bad(text, found.start()) else text
    if "ü" in fixed:
        fixed = _MAC_ROMAN_EMOJI.sub(_emoji, fixed)
    return text if fixed == text else fixed


def extent(text: str) -> Literal["none", "part", "whole"]:
    """How far a text that is not ASCII is damaged: not, here and there, or in all its characters.

    In all of them: its bytes, taken back as they were misread, are UTF-8 from beginning to end.
    """
    fixed = repaired(text)
    if fixed is text:
        return "none"
    if _MAC_ROMAN_EMOJI.sub("", text).isascii():
        return "whole"
    from ftfy import fix_encoding_and_explain  # noqa: PLC0415 - only damaged text needs it

    steps = fix_encoding_and_explain(text, _config()._replace(explain=True)).explanation or []
    actions = [step.action for step in steps]
    return "whole" if "encode" in actions and "apply" not in actions[:1] else "part"


def _looks_bad(text: str, start: int) -> bool:
    """What ftfy thinks of the text; it is shown only the suspects and what is around them."""
    from ftfy.badness import is_bad  # noqa: PLC0415 - only text with such characters needs it

    return any(
        is_bad(text[max(0, found.start() - _REACH) : found.end() + _REACH])
        for found in _SUSPECTS.finditer(text, start)
    )


def _fixed_by_ftfy(text: str) -> str:
    from ftfy import fix_text  # noqa: PLC0415

    return fix_text(text, _config())


@cache
def _config() -> TextFixerConfig:
    from ftfy import TextFixerConfig  # noqa: PLC0415

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )


def _emoji(found: re.Match[str]) -> str:
    return (_LOGO + found[0][-3:]).encode("mac_roman").decode("utf-8")
