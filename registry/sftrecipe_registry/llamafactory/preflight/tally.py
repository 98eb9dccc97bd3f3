"""What is wrong with rows, counted by kind with a few examples of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sftrecipe.plugin import Finding, Text, Texts

texts = Texts(__package__)

State = Literal["fault", "warning"]
SHOWN = 3
"""Examples of a finding."""
_LONGEST = 80


Fate = Literal["rows-vanish", "rows-stop-training", "rows-misread", "rows-doubtful"]
_OF_ONE_ROW: dict[Fate, str] = {
    "rows-vanish": "row-vanishes",
    "rows-stop-training": "row-stops-training",
    "rows-misread": "row-misread",
    "rows-doubtful": "row-doubtful",
}


class Trouble(NamedTuple):
    """A kind of trouble that rows can be in; its texts are slugs."""

    state: State
    check: str
    what: str
    """What is so with the rows, as in `3 of 8 rows vanish: WHAT`."""
    fate: Fate
    advice: str | None = None
    cause: str = ""
    """What else `what` shows."""


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
            slug = _OF_ONE_ROW[trouble.fate] if self.rows == 1 else trouble.fate
            what = texts(trouble.what, cause=trouble.cause)
            text = texts(slug, name=self.name, count=count, total=self.rows, what=what)
            advice = texts(trouble.advice) if trouble.advice else None
            examples = tuple(self.examples[trouble])
            yield Finding(trouble.state, trouble.check, text, advice, examples)


def of_data_set(name: str, fault: Text) -> Text:
    """What is so with a data set, and with which."""
    return texts("of-data-set", name=name, fault=fault)


def shortened(value: Any) -> str:
    """A value on one line, in quotes where it is text."""
    try:
        text = repr(value) if isinstance(value, str) else f"{value}"
    except RecursionError:
        text = type(value).__name__
    text = text.encode("utf-8", "replace").decode().replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
