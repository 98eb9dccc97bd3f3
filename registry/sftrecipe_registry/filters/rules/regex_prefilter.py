"""A pattern for a faster engine that finds something wherever `re` does, and seldom elsewhere.

`regex` often searches many times faster than `re`, but reads more into a pattern (`{e<=1}`,
`\\p{…}`, `[[a--b]]`) and knows other letters and digits. So it is never given a recipe's text: what
`re` has read is written anew from parts that are known here, each as wide as `re`'s or wider. Where
it finds nothing, `re` finds nothing; where it finds something, `re` is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_LAST = "\U0010ffff"
_WIDER = {
    code.CATEGORY_DIGIT: r"\d",
    code.CATEGORY_NOT_DIGIT: rf"\x00-/:-{_LAST}",
    code.CATEGORY_SPACE: r"\s\x1c-\x1f",
    code.CATEGORY_NOT_SPACE: rf"\x00-\x08\x0e-\x1b!-{_LAST}",
    code.CATEGORY_WORD: rf"0-9A-Z_a-z\x80-{_LAST}",
    code.CATEGORY_NOT_WORD: rf"\x00-/:-@\[-\^`\{{-{_LAST}",
}
_NARROWER = {
    code.CATEGORY_DIGIT: "0-9",
    code.CATEGORY_NOT_DIGIT: r"\x00-/:-\x7f",
    code.CATEGORY_SPACE: r"\t-\r\x20",
    code.CATEGORY_NOT_SPACE: r"\x00-\x08\x0e-\x1b!-\x7f",
    code.CATEGORY_WORD: "0-9A-Z_a-z",
    code.CATEGORY_NOT_WORD: r"\x00-/:-@\[-\^`\{-\x7f",
}
"""What a class that is taken away must hold at most."""
_PLACES = {
    code.AT_BEGINNING: "^",
    code.AT_BEGINNING_STRING: r"\A",
    code.AT_END: "$",
    code.AT_END_STRING: r"\Z",
    code.AT_BOUNDARY: "",
    code.AT_NON_BOUNDARY: "",
}
_KNOWN_FLAGS = re.IGNORECASE | re.MULTILINE | re.DOTALL | re.UNICODE
_LETTERS_LIKE_I = "İı"
"""With these the engines differ where upper and lower case are alike."""


class _Unknown(Exception):
    """The pattern has a part that is not known here."""


def wider_pattern(pattern: str, flags: int) -> tuple[str, int] | None:
    """The pattern and the flags for `regex`; None where `re` is as fast, or a part is not known.

    The pattern is one that `re` compiles.
    """
    read = parser.parse(pattern, flags)
    flags = read.state.flags
    if flags & ~_KNOWN_FLAGS or _fast_in_re(read, flags):
        return None
    try:
        return _Writer(flags).several(read), flags & ~re.UNICODE
    except _Unknown:
        return None


def _fast_in_re(read: Any, flags: int) -> bool:
    """Whether `re` runs to the first character that may begin a match, or is soon past it."""
    if flags & re.IGNORECASE or not len(read):
        return False
    kind, argument = read[0]
    spaces = (code.CATEGORY, code.CATEGORY_SPACE)
    while kind in (code.MAX_REPEAT, code.MIN_REPEAT):
        kind, argument = argument[2][0]
    return kind is code.LITERAL or (kind is code.IN and spaces in argument)


class _Writer:
    """Writes the parts of one pattern."""

    def __init__(self, flags: int) -> None:
        self._ignoring_case = bool(flags & re.IGNORECASE)

    def several(self, items: Iterable[Any]) -> str:
        return "".join(self._part(kind, argument) for kind, argument in items)

    def _part(self, kind: Any, argument: Any) -> str:
        writer = _PARTS.get(kind)
        if writer is None:
            raise _Unknown
        return writer(self, argument)

    def literal(self, number: int) -> str:
        if self._ignoring_case and chr(number) in "iI":
            return f"[iI{_LETTERS_LIKE_I}]"
        return self._character(number)

    def not_literal(self, number: int) -> str:
        return self.one_of([(code.NEGATE, None), (code.LITERAL, number)])

    def anything(self, _: None) -> str:
        return "."

    def one_of(self, members: Sequence[Any]) -> str:
        taken_away = members[0][0] is code.NEGATE
        written = "".join(self._member(kind, of, taken_away) for kind, of in members[taken_away:])
        if self._ignoring_case and not taken_away:
            written += _LETTERS_LIKE_I
        return f"[{'^' if taken_away else ''}{written}]"

    def place(self, where: Any) -> str:
        if where not in _PLACES:
            raise _Unknown
        return _PLACES[where]

    def choice(self, argument: Any) -> str:
        return f"(?:{'|'.join(map(self.several, argument[1]))})"

    def group(self, argument: Any) -> str:
        _, added, taken, body = argument
        if added or taken:
            raise _Unknown
        return f"(?:{self.several(body)})"

    def greedy(self, argument: Any) -> str:
        least, most, body = argument
        end = "" if most is code.MAXREPEAT else most
        return f"(?:{self.several(body)}){{{least},{end}}}"

    def lazy(self, argument: Any) -> str:
        return f"{self.greedy(argument)}?"

    def _member(self, kind: Any, argument: Any, taken_away: bool) -> str:
        if kind is code.LITERAL:
            return self._character(argument, taken_away)
        if kind is code.RANGE:
            low, high = argument
            if self._ignoring_case and high >= 0x80:
                raise _Unknown
            return f"{_escaped(low)}-{_escaped(high)}"
        if kind is code.CATEGORY:
            return (_NARROWER if taken_away else _WIDER)[argument]
        raise _Unknown

    def _character(self, number: int, taken_away: bool = False) -> str:
        character = chr(number)
        cased = character.lower() != character or character.upper() != character
        if self._ignoring_case and number >= 0x80 and (cased or taken_away):
            raise _Unknown
        return _escaped(number)


_PARTS: Mapping[Any, Callable[[_Writer, Any], str]] = {
    code.ANY: _Writer.anything,
    code.AT: _Writer.place,
    code.BRANCH: _Writer.choice,
    code.IN: _Writer.one_of,
    code.LITERAL: _Writer.literal,
    code.MAX_REPEAT: _Writer.greedy,
    code.MIN_REPEAT: _Writer.lazy,
    code.NOT_LITERAL: _Writer.not_literal,
    code.SUBPATTERN: _Writer.group,
}


def _escaped(number: int) -> str:
    character = chr(number)
    return f"\\x{number:02x}" if character.isascii() and not character.isalnum() else character
