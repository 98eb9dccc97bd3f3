"""A lock against what is now: what drifted, what changed and decides nothing, what nobody can
tell here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sftrecipe.errors import Problem
from sftrecipe.run.recipe_lock.lock_contents import (
    FactPath,
    Facts,
    RecipeLock,
    decides,
    entry_of,
    fact_name,
    is_hidden,
    shown_value,
)

_TOLD_WITH = ("date",)
"""What says when a fact was looked up: no change by itself."""
_OTHERWISE = ("recipe", "profile")
"""What says which lock it is; held to the recipe before."""


@dataclass(frozen=True)
class FactChange:
    """One fact that is another one now."""

    path: FactPath
    was: Any
    now: Any
    kind: Literal["changed", "new", "gone"]

    @property
    def is_drift(self) -> bool:
        """Whether it decides the data, or is the data."""
        return decides(self.path)

    def problem(self, lock: RecipeLock) -> Problem:
        """The same as a problem at its line of the lock."""
        values = {
            "name": fact_name(self.path),
            "was": shown_value(self.was),
            "now": shown_value(self.now),
        }
        severity: Literal["error", "warning"] = "error" if self.is_drift else "warning"
        return Problem(f"lock-{self.kind}", lock.place(self.path), values, None, severity)

    def as_json(self, lock: RecipeLock) -> dict[str, Any]:
        """The same as plain data."""
        place = lock.place(self.path)
        return {
            "name": fact_name(self.path),
            "change": self.kind,
            "was": self.was,
            "is": self.now,
            "line": place.line if place else None,
        }


@dataclass(frozen=True)
class LockCheck:
    """What came of holding a recipe to its lock."""

    lock: RecipeLock
    drift: tuple[FactChange, ...]
    others: tuple[FactChange, ...]
    """What changed and decides nothing: prices, servers' fingerprints, sftrecipe's own version."""
    unchecked: tuple[FactPath, ...]
    """What the lock holds and nobody can tell here: data that was not made, programs that are not
    installed."""
    not_locked: tuple[FactPath, ...]
    """What is known here, and was not when the lock was made."""


def check_lock(lock: RecipeLock, now: RecipeLock) -> LockCheck:
    """Hold what is now to the lock."""
    changes = [*_changes(lock.facts, now.facts), *_order(lock, now)]
    unchecked = {entry_of(path) for path in lock.facts
                 if is_hidden(path, now.facts) and not is_hidden(path, lock.facts)}  # fmt: skip
    not_locked = {entry_of(path) for path in now.facts
                  if is_hidden(path, lock.facts) and not is_hidden(path, now.facts)}  # fmt: skip
    return LockCheck(
        lock,
        tuple(each for each in changes if each.is_drift),
        tuple(each for each in changes if not each.is_drift),
        tuple(sorted(unchecked)),
        tuple(sorted(not_locked)),
    )


def _changes(was: Facts, now: Facts) -> Iterator[FactChange]:
    """Changed facts in the lock's order, then new ones; of an entry that is there no more, or was
    not, the first fact stands for all."""
    entries_was, entries_now = {entry_of(path) for path in was}, {entry_of(path) for path in now}
    told: set[FactPath] = set()
    for path in dict.fromkeys((*was, *now)):
        entry = entry_of(path)
        is_whole = (entry in entries_was) != (entry in entries_now)
        if not _is_compared(path, was, now) or (is_whole and entry in told):
            continue
        told.add(entry)
        shown = entry if is_whole else path
        if path not in now:
            yield FactChange(shown, _whole(shown, was), None, "gone")
        elif path not in was:
            yield FactChange(shown, None, _whole(shown, now), "new")
        elif now[path] != was[path]:
            yield FactChange(path, was[path], now[path], "changed")


def _whole(path: FactPath, facts: Facts) -> Any:
    """A fact's value; of an entry of several a step's plugin, else all that it holds."""
    if path in facts:
        return facts[path]
    inner = {each[len(path) :]: value for each, value in facts.items() if each[: len(path)] == path}
    if path[0] == "steps":
        return inner["use",]
    return ", ".join(f"{fact_name(each)} {shown_value(value)}" for each, value in inner.items())


def _is_compared(path: FactPath, was: Facts, now: Facts) -> bool:
    told_with = path[-1] in _TOLD_WITH or path[0] in _OTHERWISE
    return not (told_with or is_hidden(path, was) or is_hidden(path, now))


def _order(lock: RecipeLock, now: RecipeLock) -> Iterator[FactChange]:
    """The steps, where they are the same ones in another order."""
    before, after = lock.steps, now.steps
    if before != after and sorted(before) == sorted(after):
        yield FactChange(("steps",), ", ".join(before), ", ".join(after), "changed")
