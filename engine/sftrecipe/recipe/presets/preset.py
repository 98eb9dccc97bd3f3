"""A preset: a recipe, or a part of one, with the files of its own folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from sftrecipe.plugin.regular_files import open_regular

Kind = Literal["wheel", "package", "folder", "git"]
"""It comes with sftrecipe, with another package, lies in the project, or in a git repository."""

RECIPE = "recipe.yaml"
PRESETS = "presets"
"""The name of folders that hold presets."""
NAME = re.compile(r"[^\W\d][\w-]{0,63}|[0-9][\w-]{0,63}")
MOST_FILES = 1000
MOST_BYTES = 64_000_000
"""Of one preset, all files together."""


@dataclass(frozen=True)
class Preset:
    """Where a preset lies: `NAME/recipe.yaml`, whose folder is its own, or `NAME.yaml`, whose files
    lie in `NAME` beside it."""

    name: str
    file: Path
    kind: Kind
    source: str = ""
    """The package with its version, or the pinned address; empty where neither is there."""

    @property
    def folder(self) -> Path:
        """The folder whose files it may read, whether it is there or not."""
        return self.file.parent if self.file.name == RECIPE else self.file.with_suffix("")

    @property
    def shelf(self) -> Path:
        """The folder in which it lies with others."""
        return self.file.parent.parent if self.file.name == RECIPE else self.file.parent

    @cached_property
    def content(self) -> str:
        """A hash of its recipe and all its files, wherever they lie; of a file that is larger than
        a whole preset may be, of its beginning and size."""
        found = sha256()
        for name, file in (("", self.file), *self.files()):
            found.update(os.fsencode(f"{name}\0{_digest(file)}\n"))
        return found.hexdigest()

    @property
    def links(self) -> list[Path]:
        """Its folder and its recipe, as far as a link leads from there to another place."""
        shelf = self.shelf.absolute()
        project = shelf.parent.parent if shelf.parent.name == "recipes" else shelf.parent
        home = Path(os.path.realpath(project)) / shelf.relative_to(project)
        own = (self.folder.absolute(), self.file.absolute())
        return [
            each for each in own if os.path.realpath(each) != str(home / each.relative_to(shelf))
        ]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Its files beside the recipe, by their names in its folder.

        Links that lead out of it are left out, but of installed packages, whose files some
        installers link.
        """
        is_installed = self.kind in ("wheel", "package")
        home = os.path.realpath(self.folder)
        for root, folders, names in os.walk(self.folder):
            folders[:] = sorted(each for each in folders if each not in ("__pycache__", ".git"))
            for name in sorted(names):
                path = Path(root) / name
                is_own = is_installed or Path(os.path.realpath(path)).is_relative_to(home)
                if is_own and path.is_file() and path != self.file:
                    yield path.relative_to(self.folder).as_posix(), path


def _digest(file: Path) -> str:
    try:
        with open_regular(file) as opened:
            found = sha256(opened.read(MOST_BYTES))
            if (size := os.fstat(opened.fileno()).st_size) > MOST_BYTES:
                found.update(str(size).encode())
    except OSError as error:
        return f"unreadable {error.strerror}"
    return found.hexdigest()


def preset_at(file: Path) -> Preset | None:
    """The preset that a file of a folder called `presets` is; None for any other file."""
    shelf, name = file.absolute().parent, file.stem
    if file.name == RECIPE:
        shelf, name = shelf.parent, shelf.name
    if shelf.name != PRESETS or file.suffix != ".yaml":
        return None
    return Preset(name, file, "folder")


def preset_file(shelf: Path, name: str) -> Path | None:
    """The recipe of a name among the presets of a folder."""
    for file in (shelf / name / RECIPE, shelf / f"{name}.yaml"):
        if file.is_file():
            return file
    return None


def presets_in(shelf: Path, kind: Kind, source: str = "") -> list[Preset]:
    """All presets of a folder, by name."""
    try:
        names = sorted(each.name for each in shelf.iterdir())
    except OSError:
        return []
    found: dict[str, Preset] = {}
    for name in names:
        stem = name.removesuffix(".yaml")
        file = preset_file(shelf, stem) if NAME.fullmatch(stem) else None
        if file is not None:
            found.setdefault(stem, Preset(stem, file, kind, source))
    return list(found.values())
