"""Repairing the rows of files that were read in a wrong encoding as a whole.

A text may be about such damage, or quote it: one row shows nothing. Of a file that is damaged every
row shows it whose text is not ASCII, in all of that text, and none has the characters that were
meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import orjson

from sftrecipe.plugin.context import Context, Reject
from sftrecipe.record import Columns, Record, record_id

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

REPAIRED = "repaired"
"""Counter of the rows whose text was put right."""
_LOOKS_DAMAGED = "looks_damaged"

_ROWS = 200
"""Rows that are not ASCII, by which a file is judged."""
_HELD = 4000
_HELD_CHARACTERS = 8_000_000
"""What is held until a file is judged."""
_RUNS = 5
"""Damaged places that a file must have at least."""
_NEARLY_ALL = 0.9
_RUN = re.compile(r"[^\x00-\x7f]+")
_OF_ENCODINGS = re.compile(
    r"mojibake|garbled|gibberish|utf-?8|latin-?1|iso-?8859|windows-?125|cp-?125|unicode|charset"
    r"|encod|decod|\bascii\b|\bansi\b|\bftfy\b|\biconv\b|乱码|编码|解码|字符集|亂碼|編碼",
    re.IGNORECASE,
)
_AROUND = 12

Item = Record | Reject
Extent = Literal["none", "part", "whole"]

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


def undamaged(rows: Iterator[Item], repair: bool | None, ctx: Context) -> Iterator[Item]:
    """The rows; where `repair` is left out, repaired in the files that are damaged as a whole."""
    if repair is False:
        yield from rows
        return
    judged = _File("", ctx, repair)
    for item in rows:
        if not judged.holds and (not isinstance(item, Record) or _is_ascii(item.columns)):
            yield item  # nearly all rows of nearly all files
            continue
        name = item.origin.rpartition(":")[0] if isinstance(item, Record) else judged.name
        if name != judged.name:
            yield from judged.rest()
            judged = _File(name, ctx, repair)
        yield from judged.rows(item)
    yield from judged.rest()


class _File:
    """A file's rows, held until it shows whether it is damaged."""

    def __init__(self, name: str, ctx: Context, is_damaged: bool | None) -> None:
        self.name = name
        self._ctx = ctx
        self._is_damaged = is_damaged
        self._held: list[Item] = []
        self._characters = 0
        self._seen = self._whole = self._runs = 0

    @property
    def holds(self) -> bool:
        """Whether rows wait."""
        return bool(self._held)

    def rows(self, item: Item) -> Iterator[Item]:
        """The rows that can be given now that this one was read."""
        if self._is_damaged is not None:
            yield self._given(item)
            return
        texts = _texts(item.columns) if isinstance(item, Record) else []
        self._held.append(item)
        self._weigh(texts, item)
        if self._seen >= _ROWS or len(self._held) >= _HELD or self._characters >= _HELD_CHARACTERS:
            yield from self.rest()

    def rest(self) -> Iterator[Item]:
        """What is held, now that the file is judged by what was read."""
        if self._is_damaged is None:
            enough = self._whole >= _NEARLY_ALL * self._seen and self._runs >= _RUNS
            self._is_damaged = enough
        held, self._held = self._held, []
        yield from map(self._given, held)

    def _weigh(self, texts: list[str], item: Item) -> None:
        """What a row shows by its texts that are not ASCII."""
        self._characters += sum(map(len, texts))
        if not texts:
            return
        self._seen += 1
        if all(extent(text) == "whole" for text in texts) and not _is_about_encodings(item):
            self._whole += 1
            self._runs += sum(len(_RUN.findall(text)) for text in texts)

    def _given(self, item: Item) -> Item:
        """The row as it is given, and what was done to it told."""
        if not isinstance(item, Record):
            return item
        before, ctx = item.columns, self._ctx
        after = _repaired(before)
        if after is before:
            return item
        change = next(_changes(before, after), "")
        if not self._is_damaged:
            ctx.tell(_LOOKS_DAMAGED, f"{item.origin} {change}")
            return item
        ctx.count(REPAIRED)
        ctx.tell(REPAIRED, f"{item.origin} {change}")
        return item._replace(id=record_id(item.stream, after), columns=after)


def _is_about_encodings(item: Item) -> bool:
    """Whether a row says anything of encodings: it may show what they do to a text."""
    if not isinstance(item, Record):
        return False
    return _OF_ENCODINGS.search(orjson.dumps(item.columns).decode()) is not None


def _is_ascii(columns: Columns) -> bool:
    """Whether all texts of a row are ASCII, those in lists and mappings too."""
    for value in columns.values():
        kind = type(value)
        if kind is str:
            if not value.isascii():
                return False
        elif (kind is list or kind is dict) and _texts(value):
            return False
    return True


def _texts(value: Any) -> list[str]:
    """All texts in a value that are not ASCII."""
    if isinstance(value, str):
        return [] if value.isascii() else [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [text for item in value for text in _texts(item)]


def _repaired(columns: Columns) -> Columns:
    """The columns with their texts repaired; the same object where nothing changed."""
    changes = {}
    for name, value in columns.items():
        if type(value) is str and value.isascii():
            continue
        new = _repaired_inside(value)
        if new is not value:
            changes[name] = new
    return {**columns, **changes} if changes else columns


def _repaired_inside(value: Any) -> Any:
    """Lists and mappings with their texts repaired; the same object where nothing changed."""
    if isinstance(value, str):
        return repaired(value)
    if isinstance(value, Mapping):
        fixed = {key: _repaired_inside(item) for key, item in value.items()}
        return fixed if any(fixed[key] is not item for key, item in value.items()) else value
    if isinstance(value, list | tuple):
        items = [_repaired_inside(item) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _changes(before: Any, after: Any) -> Iterator[str]:
    """Every text that differs, shown where it does."""
    if isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield _change_text(before, after)
    elif isinstance(before, Mapping):
        for name in before:
            yield from _changes(before[name], after[name])
    elif isinstance(before, list | tuple):
        for one, other in zip(before, after, strict=True):
            yield from _changes(one, other)


def _change_text(before: str, after: str) -> str:
    """Where a text was repaired, before and after."""
    first = next(
        (at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
        min(len(before), len(after)),
    )
    begin = max(0, before.rfind(" ", 0, first) + 1, first - _AROUND)
    old, new = (text[begin : first + _AROUND] for text in (before, after))
    return f"'{old}' → '{new}'"


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


def extent(text: str) -> Extent:
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
