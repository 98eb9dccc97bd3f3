"""How many calls a step will make, and how many rows: by its plugin, and by its dry run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sftrecipe.calls.replies.structured import REPAIRS
from sftrecipe.plan.estimate import UNKNOWN, Range
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.judge import Judge
from sftrecipe.plugin.plugin_kinds import Expected, Filter, Generator
from sftrecipe.plugin.provider import Request
from sftrecipe.record import Record


@dataclass
class DryRunResult:
    """What a step asked in its dry run."""

    rows: int
    """Input rows that it was given."""
    whole: bool
    """Whether they are the rows of the run, all of them, and it came to its end."""
    asking: int = 0
    """Rows that asked something; for plugins that look at one row at a time."""
    held: int = 0
    """Calls that the ledger answers, or that repeat another."""
    repeated: int = 0
    """Of those, calls that repeat one without a reply: what would follow them is not known."""
    repeats: Counter[str] = field(default_factory=Counter)
    """The same by provider."""
    missing: dict[str, list[Request]] = field(default_factory=dict)
    """Calls without a reply, by provider."""
    made: list[Record] = field(default_factory=list)
    """Rows that it made, or let pass."""
    pretended: set[str] = field(default_factory=set)
    """Providers whose prompts hold answers that no model gave."""

    @property
    def certain(self) -> bool:
        """Whether a run comes to the same: all was looked at, and all is answered."""
        return self.whole and not self.unanswered

    @property
    def unanswered(self) -> int:
        """Calls without a reply."""
        return sum(len(requests) for requests in self.missing.values())

    @property
    def told(self) -> int:
        """All the calls that it came to."""
        return self.held + self.unanswered


Asker = Generator | Filter | Judge
"""A plugin that asks models."""


def looks_at_rows(plugin: Plugin) -> bool:
    """Whether it looks at one row at a time, so that some rows tell of the others."""
    return getattr(plugin, "scope", "global") == "row"


class Expectation(NamedTuple):
    """A step's calls and rows."""

    calls: Range
    rows: Range
    likely_rows: bool = False
    """Whether the range of rows is likely; else it is a bound."""
    likely_calls: bool = False
    """Whether the range of calls is likely; else it is a bound."""
    carried: int | None = None
    """Earlier replies that a prompt holds at most; None: all of its conversation."""
    expected_calls: int | None = None
    """The likely number; None where nothing tells."""
    expected_rows: int | None = None


def expectation(
    plugin: Plugin, rows: Range, seen: DryRunResult | None, likely_rows: int | None = None
) -> Expectation:
    """What to expect of a generator, a filter or a judge that reads so many rows, and how many
    of them it likely reads."""
    assert isinstance(plugin, Asker)  # noqa: S101 - no other block asks
    if seen is not None and seen.certain:
        told, made = seen.told, len(seen.made)
        return Expectation((told, told), (made, made), expected_calls=told, expected_rows=made)
    expected = _expected(plugin, rows)
    calls, likely = (expected.calls, False) if seen is None else _calls(plugin, expected, seen)
    found = Expectation(calls, expected.rows, expected.likely, likely, expected.carried)
    if likely_rows is None:
        return found
    return _with_likely(found, plugin, likely_rows, seen)


def _with_likely(
    found: Expectation, plugin: Asker, rows: int, seen: DryRunResult | None
) -> Expectation:
    """The same with its likely numbers: those of so many rows, as far as these ask anything."""
    made = _expected(plugin, (rows, rows)).rows[1]
    asking = rows
    if seen is not None and seen.rows and looks_at_rows(plugin):
        asking = round(rows * seen.asking / seen.rows)
    least, most = _expected(plugin, (asking, asking)).calls
    calls = (least or None) if most is None else round((least + most) / 2)
    if calls is not None and seen is not None and seen.rows:
        by_row = looks_at_rows(plugin) or isinstance(plugin, Judge)
        calls = max(calls, round(seen.told * rows / seen.rows) if by_row else 0)
    return found._replace(
        expected_calls=None if calls is None else _limited(calls, found.calls),
        expected_rows=None if made is None else _limited(made, found.rows),
    )


def _limited(count: int, within: Range) -> int:
    least, most = within
    return max(least, count if most is None else min(count, most))


def _expected(plugin: Asker, rows: Range) -> Expected:
    """What the plugin says; nothing is known where it fails to say it."""
    try:
        told: Any = plugin.expected(*rows)
    except Exception:  # somebody's plugin: a run is not to fail of its estimate
        return Expected(UNKNOWN, UNKNOWN)
    if not isinstance(told, Expected):
        return Expected(UNKNOWN, UNKNOWN)
    return told._replace(calls=told_range(told.calls), rows=told_range(told.rows))


def told_range(told: object) -> Range:
    """What a plugin says, where it is a range of counts; nothing is known where it is none."""
    match told:
        case (int(least), None) if least >= 0:
            return least, None
        case (int(least), int(most)) if 0 <= least <= most:
            return least, most
    return UNKNOWN


def _calls(plugin: Asker, expected: Expected, seen: DryRunResult) -> tuple[Range, bool]:
    """The calls, and whether they are only likely."""
    told, (least, most) = seen.told, expected.calls
    structured = any(each.schema for requests in seen.missing.values() for each in requests)
    if not seen.whole:
        by_row = looks_at_rows(plugin)
        low = least if not by_row or seen.asking == seen.rows else 0
        return (low, _repaired(most, structured)), by_row and low > 0
    if looks_at_rows(plugin):
        least, most = _expected(plugin, (seen.asking, seen.asking)).calls
        low = max(least, told)
    else:
        low = min(least, told)
    if most is None:
        return (max(low, told), None), told > low
    top = max(most, told)
    return (low, _repaired(top, structured)), told > most


def _repaired(most: int | None, structured: bool) -> int | None:
    """The most calls where every reply may have to be repaired to follow its schema."""
    return most * (1 + REPAIRS) if most is not None and structured else most
