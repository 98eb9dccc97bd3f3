"""What stands in the place of personal data: one surrogate a value in the whole row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sftrecipe_registry.filters.pii.personal_span import Kind, PersonalSpan, narrow


class Surrogates:
    """Numbers the values of a row, each kind from 1."""

    def __init__(self, mask: str) -> None:
        self._mask = mask
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._counts: Counter[Kind] = Counter()

    def masked(self, text: str, found: Sequence[PersonalSpan]) -> str:
        """The text with each piece replaced by the surrogate of its value."""
        parts: list[str] = []
        at = 0
        for piece in found:
            parts.extend(
                (text[at : piece.start], self._of(piece.kind, text[piece.start : piece.end]))
            )
            at = piece.end
        return "".join((*parts, text[at:]))

    def _of(self, kind: Kind, value: str) -> str:
        key = (kind, _value_key(kind, value))
        number = self._numbers.get(key) or self._part_of(kind, key[1])
        if not number:
            self._counts[kind] += 1
            number = self._counts[kind]
        self._numbers[key] = number
        return self._mask.replace("{kind}", kind.upper()).replace("{number}", str(number))

    def _part_of(self, kind: Kind, key: str) -> int | None:
        """The number of the full name that this is the given name of, or the other way round."""
        if kind != "name":
            return None
        names = ((name, number) for (known, name), number in self._numbers.items() if known == kind)
        return next(
            (
                number
                for name, number in names
                if name.startswith(f"{key} ") or key.startswith(f"{name} ")
            ),
            None,
        )


def veiled(value: str) -> str:
    """A value as a report may show it: its first and last character."""
    return f"{value[0]}***{value[-1]}" if len(value) > 3 else f"{value[0]}**"


def _value_key(kind: Kind, text: str) -> str:
    """What two ways of writing one value have in common."""
    plain = narrow(text).lower()
    if kind == "phone":
        return re.sub("[^0-9]", "", re.split("[a-z转分#]", plain)[0])[-10:]
    if kind in ("email", "name", "address", "url"):
        return plain
    return re.sub("[^0-9a-z]", "", plain) or plain
