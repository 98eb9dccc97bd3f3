"""Rows that match, or do not match, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from sftrecipe import KEEP, Context, Record, RowFilter, Rows, Verdict
from sftrecipe.kinds import Inputs, OptionFiles, OptionProblem
from sftrecipe.options import ColumnName, Pattern
from sftrecipe_registry.filters.rules.guarded_regex import SearchTooLong, guarded_search
from sftrecipe_registry.shared.text.row_text import text_of, whole_text

SHOWN = 80
"""Characters of the matched text that a reject shows."""


class Regex(RowFilter):
    """Drop rows that match one of the `drop` patterns, or none of the `keep` patterns.

    Rejects `matched` (the detail shows the matched text) and `not_matched`; `search_too_long` a row
    whose text keeps a pattern busy for 2 seconds.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "matched": ("drop",),
        "not_matched": ("keep",),
    }
    example: ClassVar[str] = (
        "{use: regex, with: {field: output, drop: ['(?i)as an ai', 'https?://']}}"
    )

    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Column, or list of columns whose texts are joined by a line break; left out: all that is said
    in the row."""
    keep: tuple[Pattern, ...] = ()
    """A row must match at least one of these; no condition where the list is empty."""
    drop: tuple[Pattern, ...] = ()
    """A row must match none of these."""
    ignore_case: bool = False
    """Match without regard to upper and lower case."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No pattern at all."""
        if not self.keep and not self.drop:
            yield OptionProblem((), "filter 'regex' has no pattern", "set keep or drop")

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order."""
        read = text_of(self.field, whole_text)
        if len(self.drop) == 1 and not self.keep:
            search = guarded_search(self.drop[0], ignore_case=self.ignore_case)
            for row in rows:
                try:
                    found = search(read(row))
                except SearchTooLong as error:
                    yield _too_long(error)
                else:
                    yield KEEP if found is None else _matched(found)
            return
        test = self._test()
        for row in rows:
            yield test(read(row))

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        return self._test()(text_of(self.field, whole_text)(row))

    def _test(self) -> Callable[[str], Verdict]:
        drop = [guarded_search(pattern, ignore_case=self.ignore_case) for pattern in self.drop]
        keep = [guarded_search(pattern, ignore_case=self.ignore_case) for pattern in self.keep]

        def test(text: str) -> Verdict:
            try:
                for search in drop:
                    found = search(text)
                    if found is not None:
                        return _matched(found)
                if keep and not any(search(text) for search in keep):
                    return Verdict(False, "not_matched")
            except SearchTooLong as error:
                return _too_long(error)
            return KEEP

        return test


def _matched(found: re.Match[str]) -> Verdict:
    return Verdict(False, "matched", None, found[0][:SHOWN])


def _too_long(error: SearchTooLong) -> Verdict:
    return Verdict(False, "search_too_long", detail=str(error))
