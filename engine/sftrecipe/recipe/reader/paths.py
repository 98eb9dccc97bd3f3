"""Which files a recipe may read: those of its own folder, and of folders that the user allows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from sftrecipe.errors import Position, Problem, closest
from sftrecipe.plugin.regular_files import unusual_kind

_NAMES = 500
"""Names of a folder that are compared with one that is not there."""


class Roots:
    """The folders whose files a recipe may name, symbolic links followed.

    An absolute path that the user gives a variable of the recipe is his word for that file, or for
    that folder: `--set data=/data/faq.json` needs no `--allow-path`.
    """

    def __init__(
        self, recipe: Path, allowed: Sequence[Path], variables: Mapping[str, str] | None = None
    ) -> None:
        self._folders = [Path(os.path.realpath(recipe)).parent]
        named = Path(os.path.abspath(recipe.parent))  # noqa: PTH100 - keeps a link to the folder
        given = [Path(value) for value in (variables or {}).values() if _is_path(value)]
        for folder in (named, *allowed, *given):
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
            problems.append(_missing(missing, place, value, real))
        elif kind := unusual_kind(real):
            values["kind"] = kind
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


def _missing(slug: str, place: Position, value: str, real: Path) -> Problem:
    """A file that is not there, with one of a like name beside it, or where it was looked for."""
    near = closest(real.name, _names_in(real.parent) - {real.name})
    if near is not None:
        values = {"path": value, "suggestion": str(Path(value).with_name(near))}
        return Problem(slug, place, values, "did-you-mean")
    hint = "path-start" if slug == "missing-file" else None
    return Problem(slug, place, {"path": value}, hint)


def _names_in(folder: Path) -> set[str]:
    """Some files' names of a folder; none where there is none."""
    try:
        with os.scandir(folder) as found:
            return {each.name for each in islice(found, _NAMES) if not each.name.startswith(".")}
    except OSError:
        return set()


def _is_path(value: str) -> bool:
    """Whether it says where something is, and not everything."""
    return "\0" not in value and Path(value).is_absolute() and os.path.realpath(value) != os.sep


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a loop of links
        return False
