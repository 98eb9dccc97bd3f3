"""The output folder: whose it is, and which of its files may be written over.

What stands there and was not written by a run of this recipe is somebody else's: it stays, and the
run is refused. Names are noted before their files are written, so that a killed run's are known.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import orjson

from sftrecipe.errors import UsageError
from sftrecipe.plugin.kept_models import KEPT, is_model_link
from sftrecipe.plugin.plugin_kinds import DataSet, Exporter, PluginRefused, Source
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run import catalogue
from sftrecipe.store import atomic_files
from sftrecipe.store.json_fields import object_in
from sftrecipe.store.project import RUN_FILE

OWNER_FILE = ".sftrecipe.json"
REJECTS_FILE = "rejects.jsonl"
REPORT_FILE = "report.html"
_EVERY_RUN = frozenset({RUN_FILE, REJECTS_FILE, REPORT_FILE})


class OutputFolder:
    """A recipe's hand on its output folder; `take_over`: what stands in its way is replaced."""

    def __init__(self, folder: Path, recipe: CheckedRecipe, *, take_over: bool = False) -> None:
        self.folder = folder
        self._recipe = recipe
        self._take_over = take_over
        self._path = recipe.path.resolve()

    def check(self) -> None:
        """Raises UsageError where the folder is another recipe's, holds what the run would write
        over, or lies in a folder that the recipe reads."""
        for path in self._inputs:
            if path.is_dir() and self.folder.resolve().is_relative_to(path):
                raise UsageError("output-in-input", "output-elsewhere", path=path, **self._values())
        owner = self._owner()
        self._check_owner(owner)
        self._check_folder()
        if holder := atomic_files.who_locked(self.folder / KEPT):
            # Its data would be written over while it trains on them.
            raise UsageError("trains-here", "wait-or-out", holder=holder, **self._values())
        data_sets = self._data_sets()
        files = [file for data_set in data_sets for file in data_set.files]
        trained = [
            name
            for block in self._recipe.train
            if isinstance(block.plugin, Trainer)
            for name in block.plugin.writes(block.id)
        ]
        _check_names(data_sets, {*_EVERY_RUN, OWNER_FILE, catalogue.NAME, *trained})
        for name in sorted({*_EVERY_RUN, *files, *trained}):
            self._check_free(name, owner)
            self._check_no_input(self.folder / name)
        if (self.folder / catalogue.NAME).is_symlink():
            self._refuse(self.folder / catalogue.NAME)
        ours = {*_files(owner), *files}
        for entered in (self.folder / catalogue.NAME, self._recipe.register_in):
            if entered is not None:
                catalogue.check_free(entered, data_sets, self.folder, ours)

    def _check_owner(self, owner: Mapping[str, Any]) -> None:
        """Raises UsageError where the folder is another recipe's."""
        if owner and not self._take_over and not self._is_ours(owner):
            raise UsageError(
                "output-taken", "output-taken", recipe=owner.get("path", "?"), **self._values()
            )

    def _check_folder(self) -> None:
        """Raises SftrecipeError where it cannot be made or written."""
        existing = self.folder
        while not os.path.lexists(existing) and existing != existing.parent:
            existing = existing.parent
        with atomic_files.explained(self.folder / RUN_FILE):
            if not existing.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, f"'{existing}' is no folder")
            if not os.access(existing, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _data_sets(self) -> list[DataSet]:
        """What the exports may write. Raises UsageError where two of them write the same."""
        found: list[DataSet] = []
        for block in self._recipe.export:
            if isinstance(block.plugin, Exporter):
                data_sets = list(block.plugin.writes(self._recipe.name))
                for each in data_sets:
                    if any(not {*each.files}.isdisjoint(other.files) for other in found):
                        raise UsageError("catalogue-duplicate", "catalogue-name", name=each.name)
                found += data_sets
        return found

    def _check_no_input(self, path: Path) -> None:
        if any(path.resolve() == read for read in self._inputs):
            raise UsageError("output-is-input", "output-elsewhere", path=path, **self._values())

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file of the folder for writing; it appears, whole, when the block ends.

        Raises UsageError where something else stands there, SftrecipeError as `atomic_files` does.
        """
        self.claim(name)
        with atomic_files.create(self.folder, name) as file:
            yield file

    def claim(self, name: str) -> None:
        """Note that the recipe writes this file or folder. Raises UsageError as `create` does."""
        path = atomic_files.inside(self.folder, name)
        self._check_no_input(path)
        with atomic_files.explained(path):
            self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_files.locked(self.folder):
            owner = self._owner()
            self._check_owner(owner)  # another recipe may have begun here since `check`
            self._check_free(name, owner)
            here = os.path.relpath(self._path, self.folder.resolve())
            if name not in _files(owner) or owner.get("recipe") != here:
                self._note(here, {*_EVERY_RUN, *_files(owner), name})

    def written(self) -> frozenset[str]:
        """Names of all that runs of the recipe wrote there."""
        owner = self._owner()
        return frozenset(_files(owner)) if self._is_ours(owner) else frozenset()

    def _check_free(self, name: str, owner: Mapping[str, Any]) -> None:
        path = self.folder / name
        if not os.path.lexists(path) or self._take_over:
            return
        is_ours = name in _files(owner)
        if not is_ours or (path.is_symlink() and not is_model_link(self.folder, path)):
            self._refuse(path)

    def _refuse(self, path: Path) -> None:
        raise UsageError("output-in-the-way", "output-in-the-way", path=path, **self._values())

    def _note(self, here: str, files: set[str]) -> None:
        content = {
            "recipe": here,
            "path": str(self._path),
            "name": self._recipe.name,
            "files": sorted(files),
        }
        with atomic_files.create(self.folder, OWNER_FILE) as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))

    def _owner(self) -> dict[str, Any]:
        """Who wrote into the folder, and what; empty where nobody did."""
        return object_in(self.folder / OWNER_FILE) or _owner_by(
            object_in(self.folder / RUN_FILE), [block.id for block in self._recipe.train]
        )

    def _is_ours(self, owner: Mapping[str, Any]) -> bool:
        """The same recipe, also where the project was moved or the file has a new name."""
        if owner.get("name") != self._recipe.name:
            return False
        known = Path(str(owner.get("path", "")))
        here = self.folder.resolve() / str(owner.get("recipe", known))
        if self._path in (known, Path(os.path.normpath(here))):
            return True
        if not known.is_absolute() and "recipe" not in owner:  # as earlier versions noted it
            return known.name == self._path.name
        gone = not known.exists() and not here.exists()
        return gone and object_in(self.folder / RUN_FILE).get("document") == self._recipe.document

    @cached_property
    def _inputs(self) -> list[Path]:
        """All that the recipe reads."""
        recipe = self._recipe
        files = [path for block in recipe.blocks for path in block.files.paths.values()]
        found = [self._path, *map(Path, files)]
        for block in recipe.sources.values():
            if isinstance(block.plugin, Source):
                try:
                    read = block.plugin.depends_on(block.files, self._path.parent)
                except (PluginRefused, OSError):  # the step that reads it tells why
                    continue
                found += [path for path in read if isinstance(path, Path)]
        return [path.resolve() for path in found]

    def _values(self) -> dict[str, object]:
        return {"folder": str(self.folder), "name": self._recipe.name}


def recipe_of(out: Path) -> Path | None:
    """The recipe whose runs write into an output folder, as far as that says."""
    owner = object_in(out / OWNER_FILE)
    here, path = owner.get("recipe"), owner.get("path")
    if isinstance(here, str) and (found := Path(os.path.normpath(out / here))).exists():
        return found
    return Path(path) if isinstance(path, str) else None


def _check_names(data_sets: Iterable[DataSet], own: set[str]) -> None:
    """Raises UsageError for a data set with a file of a name that the run itself writes."""
    known = {name.casefold() for name in own}
    for each in data_sets:
        for file in each.files:
            if Path(file).parts[0].casefold() in known:
                raise UsageError("data-set-named", "catalogue-name", name=each.name, file=file)


def _files(told: Mapping[str, Any]) -> list[str]:
    """The names of files that something tells of."""
    return [name for name in _listed(told.get("files")) if isinstance(name, str)]


def _listed(found: object) -> Iterable[object]:
    """What a file holds where names or objects are expected; nothing where it holds none."""
    return found if isinstance(found, (list, dict)) else ()


def _owner_by(run: Mapping[str, Any], trainings: Sequence[str]) -> dict[str, Any]:
    """What a run of an earlier version wrote, as far as it tells."""
    if not isinstance(run.get("recipe"), str):
        return {}
    data = {
        file
        for kind in ("data_sets", "outdated")
        for each in _listed(run.get(kind))
        if isinstance(each, dict)
        for file in _files(each)
    }
    trained = {
        f"{kind}{'' if training == 'train' else f'-{training}'}{suffix}"
        for training in trainings
        for kind, suffix in (("train", ".yaml"), ("merge", ".yaml"), ("model", ""))
    }
    files = sorted(_EVERY_RUN | data | trained)
    return {"path": run["recipe"], "name": run.get("name"), "files": files}
