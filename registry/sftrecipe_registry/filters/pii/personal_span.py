"""A piece of personal data, its kind, and a text as the finders read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
    "record_number",
    "insurance_number",
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

_NARROW = str.maketrans(
    {
        **{0xFF01 + n: 0x21 + n for n in range(94)},
        "\u3000": " ",
        "\u00a0": " ",
        "\u202f": " ",
        **dict.fromkeys("‐‑‒–—−", "-"),
    }
)
"""Wide characters and all kinds of dashes count as what they stand for, each one character as
before, so that places stay."""
_HAN = re.compile("[\u4e00-\u9fff]")
_DIGIT = re.compile("[0-9]")
_FOUR = re.compile("[0-9](?:[^0-9\n]{0,3}[0-9]){3}")
_SEVEN = re.compile("[0-9](?:[^0-9\n]{0,3}[0-9]){6}")


def _digits(text: str) -> int:
    if not _DIGIT.search(text):
        return 0
    if not _FOUR.search(text):
        return 1
    return 7 if _SEVEN.search(text) else 4


def narrow(text: str) -> str:
    """The text with narrow digits, marks and dashes, every character in its place."""
    return text if text.isascii() else text.translate(_NARROW)


class RowContext:
    """All that a row says, and whether certain words are in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = text.lower()
        self._said: dict[re.Pattern[str] | tuple[str, ...], bool] = {}

    def has(self, signs: tuple[str, ...]) -> bool:
        """Whether one of these stands anywhere in the row, in small letters: asked before an
        expression is, because it is a tenth of the time."""
        has = self._said.get(signs)
        if has is None:
            has = self._said[signs] = any(sign in self.lower for sign in signs)
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
        self.digits = _digits(text)
        """How many digits a number in it may have: 0, 1, 4, 7 (at least so many in a row, with
        marks and blanks between)."""

    @cached_property
    def lower(self) -> str:
        """In small letters."""
        return self.text.lower() if self.text is not self.context.text else self.context.lower

    @cached_property
    def quiet(self) -> list[tuple[int, int]]:
        """Where code stands."""
        return quiet_parts(self.text)

    @property
    def is_chinese(self) -> bool:
        """Whether the row is Chinese to some part."""
        return self.context.says(_HAN)

    def is_quiet(self, start: int) -> bool:
        """Whether code stands at this place."""
        return any(low <= start < high for low, high in self.quiet)

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
