"""Which files a recipe may read: those of its own folder, and of folders that the user allows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sftrecipe.errors import Position, Problem
from sftrecipe.messages import Word
from sftrecipe.plugin.regular_files import unusual_kind


class Roots:
    """The folders whose files a recipe may name, symbolic links followed."""

    def __init__(self, recipe: Path, allowed: Sequence[Path]) -> None:
        self._folders = [Path(os.path.realpath(recipe)).parent]
        named = Path(os.path.abspath(recipe.parent))  # noqa: PTH100 - keeps a link to the folder
        for folder in (named, *allowed):
            self.add(folder)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders, links followed."""
        return tuple(self._folders)

    def add(self, folder: Path) -> None:
        """Allow one more folder."""
        self._folders.append(Path(os.path.realpath(folder)))

    def checked(
        self,
        value: str,
        folder: Path,
        place: Position,
        problems: list[Problem],
        missing: str = "missing-file",
        *,
        folders: bool = False,
    ) -> Path | None:
        """The file that a value names, seen from a folder; None, and a problem, where it may not
        be read or is not there."""
        values: dict[str, object] = {"path": value}
        if not value or "\0" in value or len(value) > 4096:
            problems.append(Problem(missing, place, values))
            return None
        file = folder / value
        real = Path(os.path.realpath(file))
        if not any(real.is_relative_to(root) for root in self._folders):
            values["folder"] = str(self._to_allow(file, real))
            problems.append(Problem("path-outside", place, values, "allow-path"))
            return None
        if not _exists(real):
            problems.append(Problem(missing, place, values))
        elif kind := unusual_kind(real):
            values["kind"] = Word(f"a-{kind}")
            problems.append(Problem("unusual-file", place, values))
        elif real.is_dir() and not folders:
            problems.append(Problem("not-a-file", place, values))
        elif not os.access(real, os.R_OK):
            problems.append(Problem("unreadable-file", place, {**values, "error": "permission"}))
        else:
            return file
        return None

    def _to_allow(self, file: Path, real: Path) -> Path:
        """The folder that the user would have to allow, as short as it can be said."""
        written = Path(os.path.normpath(file)).parent
        return written if os.path.realpath(written) == str(real.parent) else real.parent


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a loop of links
        return False
