"""The tags of the result's rows, and how many rows have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened

_TAGS = 12
_VALUES = 12
_TEXT = 60


@dataclass(frozen=True)
class Tag:
    """A tag with its values."""

    name: str
    rows: int
    """Rows of the sample that have it."""
    sampled: int
    values: dict[str, int]
    """The most frequent ones."""
    other_values: int
    """Values beside those."""


def tags(opened: OpenedRun) -> list[Tag]:
    """The tags of the sample, the most frequent first."""
    found: dict[str, Counter[str]] = {}
    for row in opened.sample:
        for name, value in row.tags.items():
            values = found.setdefault(name, Counter())
            values[shortened(cell_text(value), _TEXT)] += 1
    ordered = sorted(found.items(), key=lambda each: (-each[1].total(), each[0]))
    return [
        Tag(
            name,
            values.total(),
            len(opened.sample),
            dict(values.most_common(_VALUES)),
            max(0, len(values) - _VALUES),
        )
        for name, values in ordered[:_TAGS]
    ]
