"""A piece of personal data, its kind, and a text as the finders read it."""

# ruff: noqa: E501 - an expression is read whole
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from sftrecipe_registry.filters.pii.quiet_parts import quiet_parts

Kind = Literal[
    "id_card",
    "iban",
    "bank_card",
    "ssn",
    "email",
    "url",
    "ip",
    "wechat",
    "qq",
    "insurance_number",
    "record_number",
    "passport",
    "birth_date",
    "phone",
    "plate",
    "address",
    "name",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are looked for: what one kind takes is none of a later one."""


class PersonalSpan(NamedTuple):
    """One piece of personal data: where it stands."""

    start: int
    end: int
    kind: Kind


Found = Iterator[tuple[int, int]]
Find = Callable[["ReadText"], Found]

_NARROW_MARKS = (
    *((ord(wide), ord(mark)) for wide, mark in zip("，：；（）！？－", ",:;()!?-", strict=True)),
    *((ord(dash), ord("-")) for dash in "‐‑‒–—−"),
    *((ord(blank), ord(" ")) for blank in "\u3000\u00a0\u202f"),
)
_NARROW = {**{0xFF01 + n: 0x21 + n for n in range(94)}, **dict(_NARROW_MARKS)}
"""Wide characters and all kinds of dashes count as what they stand for, each one character as
before, so that places stay."""
_WIDE_SIGNS = re.compile("[０-９Ａ-Ｚａ-ｚ＠．＿＋＝＃＄％＆＊／＜＞［］｛｝｜～]")
_MARKS = tuple((chr(code), chr(mark)) for code, mark in _NARROW_MARKS)
_HAN = re.compile("[\u4e00-\u9fff]")
_NUMERALS = re.compile("[〇零一二三四五六七八九]{4}年|[二三四五六七八九十百零]{1,5}[号號幢栋室弄]")
_DIGIT = re.compile("[0-9]")
_FOUR = re.compile("[0-9](?:[ A-Z()./,:年月-]{0,4}[0-9]){3}")
_SEVEN = re.compile("[0-9](?:[ ()./+-]{0,3}[0-9]){6}")
_DATA = re.compile(
    r"(?i)[\"'](?:tel|phone|mobile|cell|ip|ssn|dob|birth\w*|e?mail|id|id_?card|card\w*|passport|qq|wechat|plate|mrn|name|addr\w*|电话|手机|身份证号?|微信|生日|出生\w*|病历号|护照号?|车牌号?)[\"'] ?: ?[\"']?$"
    r"|\b(?:VALUES|LIKE|WHERE)\b[^\n]{0,200}['\"]%?$"
)
"""What stands before a value in data that is written as code."""
_HANDLES = ("@", "wechat", "weixin", "vx", "wx", "(at", "[at", " dot ", "://", "www.")
_CHINESE_HANDLES = ("微", "薇", "威信", "vx", "wx", "v信", "加v", "我v", "绿泡泡")
_CODE = re.compile(
    r"(?<![0-9A-Za-z_-])(?<![0-9A-Za-z][.,/])(?<![0-9]:)(?:[A-Z]{2} ?[0-9]{2} [0-9]{2} [0-9]{2} ?[A-D]|[0-9]{2}(?: [0-9]{2}){2,4}"
    r"|(?:[A-Za-z]{1,8}[-_/]?){0,2}[0-9][0-9A-Za-z]*(?:[-/_][0-9A-Za-z]+|(?<=[0-9A-Z]) [0-9]{3,}[A-Z]?(?![0-9A-Za-z/-]))*(?:(?<= [0-9]{4}) [0-9]{1,3}(?![0-9A-Za-z/-]))?)"
    r"(?![0-9A-Za-z@])(?!\.[0-9]|,[0-9]{3}(?![0-9]))",
    re.ASCII,
)
"""What may be the number of a record, a contract, an account."""
_LETTERS = bytes(code if 97 <= code <= 122 else 32 for code in range(256))
"""Everything but small letters becomes a blank."""


def _digits(text: str) -> int:
    """How many digits a number in the text may have: 0, 1, 4, 7 (at least so many in a row, with
    marks and blanks between)."""
    if not _DIGIT.search(text):
        return 0
    if not _FOUR.search(text):
        return 1
    return 7 if _SEVEN.search(text) else 4


def narrow(text: str) -> str:
    """The text with narrow digits, marks and dashes, every character in its place."""
    if text.isascii():
        return text
    if _WIDE_SIGNS.search(text):
        return text.translate(_NARROW)
    for wide, mark in _MARKS:
        text = text.replace(wide, mark)
    return text


@dataclass(frozen=True, eq=False, slots=True)
class Hints:
    """Words without which a kind is not looked for."""

    words: frozenset[bytes]
    chinese: tuple[str, ...]


def hints(words: str, chinese: str = "") -> Hints:
    """Of words in Latin letters and of Chinese ones."""
    return Hints(frozenset(words.encode().split()), tuple(chinese.split()))


class RowContext:
    """All that a row says, and whether certain words are in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = text.lower()
        self.has_digits = _DIGIT.search(text) is not None
        self._said: dict[re.Pattern[str] | Hints, bool] = {}

    @cached_property
    def words(self) -> frozenset[bytes]:
        """Its words in Latin letters, in small letters."""
        plain = self.lower.encode("ascii", "replace").translate(_LETTERS)
        return frozenset(plain.split())

    @cached_property
    def is_chinese(self) -> bool:
        """Whether it is Chinese to some part."""
        return not self.text.isascii() and _HAN.search(self.text) is not None

    @cached_property
    def has_handles(self) -> bool:
        """Whether it may hold addresses or names of accounts, which need no digit."""
        signs = (*_HANDLES, *_CHINESE_HANDLES) if self.is_chinese else _HANDLES
        return any(sign in self.lower for sign in signs)

    @cached_property
    def has_numerals(self) -> bool:
        """Whether a year or the number of a house stands in it in Chinese numerals."""
        return self.is_chinese and _NUMERALS.search(self.text) is not None

    def has(self, hints: Hints) -> bool:
        """Whether one of these words stands anywhere in the row: asked before an expression is,
        because it is a hundredth of the time."""
        has = self._said.get(hints)
        if has is None:
            has = not hints.words.isdisjoint(self.words)
            if not has and self.is_chinese:
                has = any(sign in self.lower for sign in hints.chinese)
            self._said[hints] = has
        return has

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether these words stand anywhere in the row."""
        said = self._said.get(words)
        if said is None:
            said = self._said[words] = words.search(self.text) is not None
        return said


class ReadText:
    """A text with what the finders ask of it, found once."""

    def __init__(self, text: str, context: RowContext, lead: str = "") -> None:
        self.text = text
        """With narrow digits and marks."""
        self.context = context
        self.lead = lead
        """What the row says before."""
        self.digits = _digits(text) if context.has_digits else 0
        """The length of its longest number, roughly: 0, 1, 4 or 7 and more digits."""

    @cached_property
    def lower(self) -> str:
        """In small letters."""
        return self.text.lower() if self.text is not self.context.text else self.context.lower

    @cached_property
    def quiet(self) -> list[tuple[int, int]]:
        """Where code stands."""
        return quiet_parts(self.text)

    @cached_property
    def codes(self) -> list[tuple[int, int]]:
        """Where numbers stand that may be given to somebody: with letters, dashes, blanks."""
        return [found.span() for found in _CODE.finditer(self.text)]

    @property
    def is_chinese(self) -> bool:
        """Whether the row is Chinese to some part."""
        return self.context.is_chinese

    def is_quiet(self, start: int) -> bool:
        """Whether code stands at this place, that is no value with its name (`"ip": "…"`)."""
        if not any(low <= start < high for low, high in self.quiet):
            return False
        return not _DATA.search(self.text, max(0, start - 160), start)

    def before(self, start: int, reach: int = 40) -> str:
        """What stands before a place, within its line."""
        return self.text[max(0, start - reach) : start].rpartition("\n")[2]

    def said_before(self, start: int, reach: int = 80) -> str:
        """The same across lines, and across what was said before in the row."""
        before = self.text[max(0, start - reach) : start]
        return f"{self.lead[len(before) - reach :]}\n{before}" if len(before) < reach else before

    def after(self, end: int, reach: int = 20) -> str:
        """What stands behind a place, within its line."""
        return self.text[end : end + reach].partition("\n")[0]
