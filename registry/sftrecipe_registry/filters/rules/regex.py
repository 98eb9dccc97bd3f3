"""Rows that match, or do not match, regular expressions, which cannot hang a run.

They are in the language of `re`. Simple ones are searched at once, since no short text makes them
slow; others under a clock; both in a process of its own where the text is long, or where no signal
can stop the clock's search.
"""

from __future__ import annotations

import atexit
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import ClassVar

from sftrecipe.plugin import (
    KEEP,
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    Pattern,
    PluginRefused,
    Record,
    RowFilter,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.rules.regex_prefilter import wider_pattern
from sftrecipe_registry.filters.rules.search_process import TooLong, search_apart
from sftrecipe_registry.shared.text.row_text import Field, text_of, whole_text

texts = Texts(__package__)

SECONDS = 2.0
"""How long one expression may search one text."""
SHORT = 10_000
"""Characters that `re` goes through so fast, even again from each of them, that it is soon done."""

_NOT_SYNTAX = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:[:=!]|<[=!]|P?<\w+>|[a-zA-Z-]+:?)")
_REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})")
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
_REPEATED = re.compile(r"[*+]|\{\d*,\d*\}")
_COUNTED = re.compile(r"\{\d{3,}\}")
_REPEATING_WHAT_WAS_FOUND = re.compile(r"\\[1-9]|\(\?P=")


class SearchTooLong(Exception):
    """An expression searched one text for too long: the row's own fault, and not the run's."""


Search = Callable[[str], "re.Match[str] | None"]


def guarded_search(pattern: str, *, ignore_case: bool = False) -> Search:
    """A search function for the pattern, which finds what `re` finds.

    Searching raises SearchTooLong after `SECONDS` of the processor's time: a slow machine must not
    change which rows match. Raises PluginRefused when the pattern does not compile.
    """
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python may read in it
            compiled = re.compile(pattern, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise PluginRefused(
            texts("pattern-not-valid", pattern=pattern, cause=str(error))
        ) from error
    if not cannot_explode(pattern):
        return lambda text: _in_time(compiled, text)
    plain = compiled.search
    find = _faster(pattern, flags)
    if find is None:
        return lambda text: plain(text) if len(text) <= SHORT else _in_time(compiled, text)

    def search(text: str) -> re.Match[str] | None:
        if len(text) > SHORT:
            return _in_time(compiled, text)
        return None if find(text) is None else plain(text)

    return search


def cannot_explode(pattern: str) -> bool:
    """Whether a pattern is so simple that no text makes it slow (true only when certain).

    No group is repeated, at most one character or class is, and few are optional: the work is at
    most quadratic in the text.
    """
    bare = _NOT_SYNTAX.sub("x", pattern)
    return (
        not _VERBOSE.search(pattern)
        and not _REPEATING_WHAT_WAS_FOUND.search(pattern)
        and not _REPEATED_GROUP.search(bare)
        and len(_REPEATED.findall(bare)) + len(_COUNTED.findall(bare)) <= 1
        and bare.count("?") <= 4
    )


def _faster(pattern: str, flags: int) -> Callable[[str], object] | None:
    """A search that finds something wherever the pattern's does, and is faster."""
    import regex  # noqa: PLC0415 - 30 ms that `validate` need not spend

    wider = wider_pattern(pattern, flags)
    if wider is None:
        return None
    return regex.compile(wider[0], regex.VERSION0 | wider[1]).search


def _in_time(compiled: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The pattern's search. Raises SearchTooLong."""
    try:
        if len(text) > SHORT or threading.current_thread() is not threading.main_thread():
            return search_apart(compiled, text, SECONDS)
        return _search_here(compiled, text)
    except TooLong as error:
        raise SearchTooLong(
            f"regular expression '{compiled.pattern}' searched a text of {len(text)} characters "
            f"for {SECONDS:g} seconds: avoid repetition inside repetition"
        ) from error


class _Clock:
    """Ends a search in this thread after `SECONDS` of the processor's time.

    It ticks on from search to search, since to set a timer costs as much as a search.
    """

    def __init__(self) -> None:
        self.ticking = False
        self.searching = False
        self.ticks = 0

    def start(self) -> None:
        self.ticking = True
        signal.signal(signal.SIGVTALRM, self._tick)
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS / 4, SECONDS / 4)
        atexit.register(self.stop)  # Python unsets the handler at its end, and a tick would kill

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        self.ticking = False
        atexit.unregister(self.stop)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        self.ticks += 1
        if self.searching and self.ticks > 4:
            raise TooLong
        if not self.searching:
            self.stop()


_clock = _Clock()


def _search_here(compiled: re.Pattern[str], text: str) -> re.Match[str] | None:
    _clock.ticks = 0
    _clock.searching = True
    try:
        if not _clock.ticking:
            _clock.start()
        return compiled.search(text)
    finally:
        _clock.searching = False


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
        "search_too_long": ("keep", "drop"),
    }
    example: ClassVar[str] = (
        "{use: regex, with: {field: output, drop: ['(?i)as an ai language model', '^作为AI']}}"
    )

    field: Field = None
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
            yield OptionProblem((), texts("no-pattern"), texts("set-pattern"))

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
