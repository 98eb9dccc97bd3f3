"""A recipe of a git revision in a folder of its own, with the files that it names there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from sftrecipe.errors import RecipeError, UsageError
from sftrecipe.recipe.project_marks import CATALOGUE
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file
from sftrecipe.run.recipe_lock.lock_reader import lock_path
from sftrecipe.store.git_files import GitRevision

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_MOST = 2000
"""Files that a recipe may name."""


class RevisionFolder:
    """The part of a revision that a recipe is made of, written below a folder."""

    def __init__(self, revision: GitRevision, folder: Path) -> None:
        self._revision = revision
        self._folder = folder
        self._taken: set[PurePosixPath] = set()

    def recipe(
        self, path: PurePosixPath, composed: Callable[[Path], Node], profile: str | None
    ) -> Path:
        """The recipe's file; `composed` gives its whole document, `profile` is that of its lock.

        Raises UsageError.
        """
        if path not in self._revision.files:
            values = {"path": str(path), "commit": self._revision.commit[:12]}
            raise UsageError("git-no-file", None, **values)
        recipe = self._take(path)
        self._take_all(self._around(path.parent))
        lock = PurePosixPath(lock_path(Path(path), profile))
        if lock in self._revision.files:
            self._take(lock)
        before = -1
        while before < len(self._taken) <= _MOST:  # until it names nothing more
            before = len(self._taken)
            with suppress(RecipeError):
                self._take_named(composed(recipe), path.parent)
        return recipe

    def _take(self, path: PurePosixPath) -> Path:
        """Write a file; of a document also what it names."""
        file = self._folder / path
        if path not in self._taken:
            self._taken.add(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._revision.content(path))
            if path.suffix in (".yaml", ".yml") or path.name == CATALOGUE:
                with suppress(RecipeError):
                    self._take_named(read_recipe_file(file), path.parent)
        return file

    def _take_all(self, paths: Iterator[PurePosixPath]) -> None:
        for path in paths:
            if len(self._taken) > _MOST:
                raise UsageError("git-many", None, commit=self._revision.commit[:12])
            self._take(path)

    def _take_named(self, node: Node, folder: PurePosixPath) -> None:
        for _, text in node.texts():
            if text.value and len(text.value) < 1000 and "\n" not in text.value:
                self._take_all(self._named(text.value, folder))

    def _named(self, value: str, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """The files that a text may mean: a file, those of a folder or a pattern, a preset's."""
        path = PurePosixPath(posixpath.normpath(posixpath.join(folder, value)))
        if path in self._revision.files:
            yield path
        elif "*" in value:
            inside = self._revision.under(folder)
            yield from (each for each in inside if fnmatch(str(each), str(path)))
        elif path not in (folder, PurePosixPath()):
            yield from self._revision.under(path)
        if _NAME.fullmatch(value):
            for up in (folder, *folder.parents):
                for presets in (up / "presets", up / "recipes" / "presets"):
                    if presets / f"{value}.yaml" in self._revision.files:
                        yield presets / f"{value}.yaml"
                    yield from self._revision.under(presets / value)

    def _around(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """Catalogues that the recipe may look into."""
        for up in (folder, *folder.parents):
            if (found := up / CATALOGUE) in self._revision.files:
                yield found
                return
