"""What a lock holds: one fact a path, as `NAME.lock` beside the recipe has them line by line.

A fact that nobody could know where the lock was made (streams of a recipe that was not run yet,
what a server tells) stands there as UNKNOWN; nothing beneath its path is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sftrecipe.errors import Position

FORMAT = 1
"""Raise it when locks written before can no longer be read, or later ones not by this version."""
UNKNOWN = "not known yet"
FactPath = tuple[str, ...]
"""`("seed",)`, `("steps", "ask", "temperature")`, `("streams", "ask", "rows")`."""
Facts = Mapping[FactPath, Any]
"""Plain values by their paths, in the lock's order."""
DECIDING = frozenset({
    *("name", "seed", "language", "packages", "plugins", "steps", "files", "prompts", "models"),
    *("streams", "data_sets"),
})  # fmt: skip
"""Sections whose facts decide the data, or are it: another value is drift. Of all others (prices,
what servers told, programs that models run in, layers that lead to the same steps) it is told, and
stops nothing: where they matter, the data shows it."""
MADE = frozenset({"streams", "data_sets"})
"""Sections of what a run made."""
_ALONE = "sftrecipe"
"""The package whose version decides nothing: its plugins count by theirs, which its tests hold
them to."""
_MOST_SHOWN = 8
"""Digits of a hash in messages."""


@dataclass(frozen=True)
class RecipeLock:
    """A recipe's lock."""

    facts: Facts
    path: Path | None = None
    """Where it was read; None: it was made now."""
    places: Mapping[FactPath, Position] = field(default_factory=dict)
    """Where its facts stand in the file."""

    @property
    def recipe(self) -> str:
        """The recipe's file name."""
        return str(self.facts[("recipe",)])

    @property
    def profile(self) -> str | None:
        """The profile that it is of."""
        found = self.facts.get(("profile",))
        return None if found is None else str(found)

    @property
    def set_variables(self) -> Mapping[str, str]:
        """Those that `--set` gave."""
        return {path[1]: str(value) for path, value in self.section("set").items()}

    @property
    def steps(self) -> list[str]:
        """The steps, in the order of the run."""
        return list(dict.fromkeys(path[1] for path in self.section("steps")))

    def section(self, name: str) -> Facts:
        """The facts of a section, by their whole paths."""
        return {path: value for path, value in self.facts.items() if path[0] == name}

    def unknown(self) -> list[FactPath]:
        """What it says nothing of yet."""
        return [path for path, value in self.facts.items() if value == UNKNOWN]

    def place(self, path: FactPath) -> Position | None:
        """Where a fact stands, or what it would stand in."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path)


def decides(path: FactPath) -> bool:
    """Whether another value of a fact is drift."""
    return path[0] in DECIDING and path != ("packages", _ALONE)


def entry_of(path: FactPath) -> FactPath:
    """The path of what a fact is of: a step, a file, a stream, a data set."""
    return path[: 3 if path[0] == "data_sets" else 2]


def is_hidden(path: FactPath, facts: Facts) -> bool:
    """Whether nothing is known there of a fact, or of what it is part of."""
    return any(facts.get(above) == UNKNOWN for above in _with_above(path))


def fact_name(path: FactPath) -> str:
    """A fact as messages and `--update` name it: `steps.ask.temperature`."""
    return ".".join(path)


def shown_value(value: Any) -> str:
    """A fact's value in a message, hashes shortened."""
    if isinstance(value, list):
        return ", ".join(map(shown_value, value))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    hashed, colon, digits = text.rpartition("blake2b:")
    return f"{hashed}{colon}{digits[:_MOST_SHOWN]}…" if colon else text


def _with_above(path: FactPath) -> Iterator[FactPath]:
    return (path[:end] for end in range(1, len(path) + 1))
