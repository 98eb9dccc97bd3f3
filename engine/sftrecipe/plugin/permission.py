"""What a plugin's options do only with the user's word, and where files may lie that they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

Risk = Literal["code", "network", "secret", "path", "unknown"]
"""It loads code; it reaches the network or a hub; it names a token or a webhook; it leads out of
the recipe's folder and the output folder; nobody has said that it is harmless."""


class Permission(NamedTuple):
    """Something that an option does only where the user allows it."""

    path: tuple[str | int, ...]
    """Where in the options."""
    word: str
    """What the user says: `--allow WORD`."""
    risk: Risk
    value: str
    """What is allowed, shown to the user: with another value it is asked again."""
    required: bool = True
    """Whether nothing goes without it; else it is done where the user allows it."""


class SeenFrom(NamedTuple):
    """Where a path that is written in a preset begins, and the one folder that it may lead into."""

    folder: Path
    own: Path


class Places(NamedTuple):
    """The folders that files may lie in which options name."""

    recipe: Path
    """The recipe's folder, from which its paths are seen."""
    readable: Sequence[Path] = ()
    """Folders that the recipe may read, the recipe's own among them, links followed."""
    output: Path | None = None
    """The run's output folder; None at `validate`, which knows no run."""
    of_presets: Mapping[str, SeenFrom] = {}
    """Where values begin that are written in a preset and not in the recipe."""

    def seen_from(self, value: object) -> Places:
        """The folders as they are for what is written where a value is: in the recipe, in which
        case they are these, or in a preset, which reads its own folder and the run's alone."""
        seen = self.of_presets.get(value) if isinstance(value, str) else None
        return self if seen is None else Places(seen.folder, (seen.own,), self.output)

    def found(self, value: str) -> Path | None:
        """Where a path leads: in the output folder where it is there, else beside the recipe.

        None: it is at neither place, and may come into the output folder yet.
        """
        if value in self.of_presets:
            return self.seen_from(value).found(value)
        path = Path(os.path.expanduser(value))  # noqa: PTH111 - a name of nobody stays as it is
        if path.is_absolute():
            return path
        inside = self.output / path if self.output else None
        for place in (inside, self.recipe / path):
            if place is not None and os.path.lexists(place):
                return place
        return None if ".." not in path.parts else inside or self.recipe / path

    def holds(self, value: str) -> bool:
        """Whether a path leads into one of the folders, links followed."""
        if not value or "\0" in value:
            return False
        if value in self.of_presets:
            return self.seen_from(value).holds(value)
        place = self.found(value)
        if place is None:
            return True
        real = Path(os.path.realpath(place))
        folders = [*self.readable, *([self.output] if self.output else [])]
        return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)
