"""Regular expressions from a recipe that cannot hang a run: in the language of `re`, and bounded.

Simple ones are searched at once, since no short text makes them slow; others under a clock; both in
a process of its own where the text is long, or where no signal can stop the clock's search.
"""

from __future__ import annotations

import atexit
import re
import signal
import threading
import warnings
from collections.abc import Callable
from types import FrameType

from sftrecipe import PluginRefused
from sftrecipe_registry.filters.rules.regex_prefilter import wider_pattern
from sftrecipe_registry.filters.rules.search_process import TooLong, search_apart

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
        raise PluginRefused(f"regular expression '{pattern}' is not valid: {error}") from error
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
