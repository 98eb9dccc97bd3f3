"""How long a model's replies may get: told by `max_tokens`, and by the replies that came.

A server may write more than it was allowed, and where nothing is allowed nobody knows before the
first reply. Until that is known, a call is taken to write as much as any model can (`at_most`), and
with each reply a smaller share of it: of so many replies and one more, each may be the longest, so
that those in flight together exceed what was seen by one such reply, as may be expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from sftrecipe.plugin.endings import THOUGHT_ALONE

FIRST_GUESS = 1024
"""Output tokens of a call without `max_tokens`, as long as no reply tells more."""
LONGEST = 131_072
"""Output tokens that no model of today goes beyond in one reply."""
UNKNOWN = 10**9
"""Output tokens that leave room for no other call beside: the first of a step goes alone."""
LOST_UNKNOWN = 32_768
"""Output tokens that a lost reply may have had, as long as no other tells more."""
ENOUGH = 50
"""Replies from which their lengths are believed, and that a server keeps to `max_tokens`."""
_CUT_COUNTS = 10
"""Replies for which one counts that ended where `max_tokens` says."""


class ExpectedLength(NamedTuple):
    """Output tokens of a reply to come."""

    likely: int
    """What is set aside: so many at most, by all that is known."""
    at_most: int
    """Where that is not sure enough."""
    lost: int
    """What a reply may have had that nobody saw to its end."""


@dataclass(slots=True)
class _Seen:
    """Replies of a step to calls without `max_tokens`."""

    count: int = 0
    longest: int = 0


class ReplyLengths:
    """What the replies of one provider's model teach."""

    def __init__(self) -> None:
        self._steps: dict[str, _Seen] = {}
        self._longest = 0
        self._kept_within = 0
        self._longest_beyond = 0
        self._went_beyond = 0

    def knows(self, step: str, max_tokens: int | None) -> bool:
        """Whether anything is known of the length of such a reply."""
        return max_tokens is not None or step in self._steps or self._longest > 0

    def expected(self, step: str, max_tokens: int | None) -> ExpectedLength:
        """Of a call that leaves now."""
        if max_tokens is not None:
            return self._allowed(max_tokens)
        seen = self._steps.get(step)
        longest = seen.longest if seen is not None else self._longest
        if seen is None and not longest:
            return ExpectedLength(FIRST_GUESS, UNKNOWN, LOST_UNKNOWN)
        likely, count = max(1, longest + longest // 4), 0 if seen is None else seen.count
        lost = max(likely, LOST_UNKNOWN // (count + 1))
        return ExpectedLength(
            likely, _at_most(2 * likely, count) if count >= ENOUGH else LONGEST, lost
        )

    def _allowed(self, max_tokens: int) -> ExpectedLength:
        beyond = self._longest_beyond + self._longest_beyond // 4
        if beyond > max_tokens:
            count = self._kept_within + self._went_beyond
            return ExpectedLength(beyond, _at_most(2 * beyond, count), beyond)
        if self._kept_within >= ENOUGH:
            return ExpectedLength(max_tokens, max_tokens, max_tokens)
        return ExpectedLength(max_tokens, _at_most(max_tokens, self._kept_within), max_tokens)

    def seen(self, step: str, written: int, max_tokens: int | None, finish: str) -> None:
        """Learn from a reply."""
        self._longest = max(self._longest, written)
        if max_tokens is None:
            seen = self._steps.setdefault(step, _Seen())
            seen.count += 1
            seen.longest = max(seen.longest, written)
        elif written <= max_tokens:
            self._kept_within += _CUT_COUNTS if finish in ("length", THOUGHT_ALONE) else 1
        else:
            self._longest_beyond = max(self._longest_beyond, written)
            self._went_beyond += 1
            self._kept_within = min(self._kept_within, ENOUGH // 2)

    def learn(self, replies: Iterable[tuple[str, int, str, str]]) -> None:
        """Learn from earlier replies: step, output tokens, finish reason, request."""
        for step, written, finish, request in replies:
            parts = orjson.loads(request)
            if parts.get("kind") in WRITING:
                self.seen(step, written or 0, limit_of(parts.get("sampling") or {}), finish or "")


def _at_most(known: int, count: int) -> int:
    """A reply's length where so many were seen, which tell of this one."""
    return max(known, LONGEST // max(1, count))


WRITING = ("chat", "complete")
"""Kinds of requests whose replies are written."""


def limit_of(sampling: object) -> int | None:
    """The `max_tokens` of a request's sampling, where it is one."""
    most = sampling.get("max_tokens") if isinstance(sampling, dict) else None
    return most if isinstance(most, int) and most > 0 else None
