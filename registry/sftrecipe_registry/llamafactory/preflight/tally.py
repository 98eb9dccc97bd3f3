"""What is wrong with rows, counted by kind with a few examples of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sftrecipe.plugin import Finding

State = Literal["fault", "warning"]
SHOWN = 3
"""Examples of a finding."""
_LONGEST = 80


class Trouble(NamedTuple):
    """A kind of trouble that rows can be in."""

    state: State
    check: str
    text: str
    """What is so with the rows, as in `3 of 8 rows vanish: TEXT`."""
    fate: Literal["vanish", "stop the training", "are misread", "are doubtful"]
    advice: str | None = None


@dataclass
class Tally:
    """The troubles of one data set."""

    name: str
    counts: dict[Trouble, int] = field(default_factory=dict)
    examples: dict[Trouble, list[str]] = field(default_factory=dict)
    rows: int = 0

    def add(self, trouble: Trouble, place: str, value: object = None) -> None:
        """Count one row; the first ones are shown."""
        count = self.counts.get(trouble, 0)
        self.counts[trouble] = count + 1
        if count < SHOWN:
            text = place if value is None else f"{place}: {shortened(value)}"
            self.examples.setdefault(trouble, []).append(text)

    def findings(self) -> Iterator[Finding]:
        """One for every kind of trouble."""
        for trouble, count in self.counts.items():
            rows = f"{count} of {self.rows} row{'s' * (self.rows != 1)}"
            message = f"data set '{self.name}': {rows} {_agreeing(trouble.fate, self.rows)}"
            examples = tuple(self.examples[trouble])
            text = f"{message}: {trouble.text}"
            yield Finding(trouble.state, trouble.check, text, trouble.advice, examples)


def _agreeing(fate: str, rows: int) -> str:
    singular = {
        "vanish": "vanishes",
        "stop the training": "stops the training",
        "are misread": "is misread",
        "are doubtful": "is doubtful",
    }
    return singular[fate] if rows == 1 else fate


def shortened(value: Any) -> str:
    """A value on one line, in quotes where it is text."""
    try:
        text = repr(value) if isinstance(value, str) else f"{value}"
    except RecursionError:
        text = type(value).__name__
    text = text.encode("utf-8", "replace").decode().replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
