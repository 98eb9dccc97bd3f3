"""Reading a reply that is a numbered list."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from sftrecipe.plugin import is_cut_off

_MARK = re.compile(r"(?:\A|\n)[ \t]*\d{1,4}(?:\s?[.)] |[.)](?=[^\s\d.)])|\s?[、．）]\s*)")
"""A line's number: `9. `, `9 . `, `9) `, `9.x`, `9、`; not `9.5`."""


class Discard(NamedTuple):
    """A part of the reply that is not an item."""

    text: str
    reason: str
    """`preamble`, `empty` or `cut_off`."""


class NumberedList(NamedTuple):
    """What a reply holds, both in its order."""

    items: list[str]
    discards: list[Discard]


def parse_numbered(
    text: str,
    *,
    finish_reason: str = "stop",
    continues: bool = True,
    cut: Literal["last", "reply"] = "last",
    capitalise: bool = False,
) -> NumberedList:
    """The items of a numbered list, white space collapsed.

    `continues`: the prompt ended with a number, so the text begins inside an item; otherwise what
    stands before the first number is a preamble. A reply cut at its length (`finish_reason` is
    `length`) loses its last item (`cut="last"`) or is discarded whole (`cut="reply"`, as
    Self-Instruct does). `capitalise` upper-cases each item's first letter and lower-cases the rest,
    as Self-Instruct does. Source: Self-Instruct (arXiv 2212.10560), `bootstrap_instructions.py`.
    """
    found = NumberedList([], [])
    if is_cut_off(finish_reason) and cut == "reply":
        found.discards.append(Discard(text, "cut_off"))
        return found
    pieces = [" ".join(piece.split()) for piece in _MARK.split(text)]
    first, *rest = pieces
    if first and not continues:
        found.discards.append(Discard(first, "preamble"))
    elif first or (not rest and continues):
        rest.insert(0, first)
    if is_cut_off(finish_reason) and rest:
        found.discards.append(Discard(rest.pop(), "cut_off"))
    for piece in rest:
        if piece:
            found.items.append(piece.capitalize() if capitalise else piece)
        else:
            found.discards.append(Discard(piece, "empty"))
    return found
