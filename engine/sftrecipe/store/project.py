"""Where a project keeps its state: the ledger, the artifacts of steps, the runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sftrecipe.errors import SftrecipeError

_MARKS = (".sftrecipe", "dataset_info.json", ".git")


@dataclass(frozen=True)
class Project:
    """A project's folder."""

    folder: Path

    @property
    def state(self) -> Path:
        """`.sftrecipe/`: what may be deleted at the price of asking again."""
        return self._own(".sftrecipe")

    @property
    def ledger(self) -> Path:
        """The ledger's database."""
        return self._own(".sftrecipe", "ledger.sqlite")

    @property
    def steps(self) -> Path:
        """The artifacts of steps, by key."""
        return self._own(".sftrecipe", "steps")

    @property
    def runs(self) -> Path:
        """Notes of the project's runs: where each leaves its results, and of which steps."""
        return self._own(".sftrecipe", "runs")

    @property
    def work_lock(self) -> Path:
        """What runs hold while they work, and who clears away holds alone."""
        return self._own(".sftrecipe", "at-work.lock")

    def run_folder(self, name: str) -> Path:
        """Where a run of the recipe `name` leaves its results unless `--out` is given."""
        return self._own("runs", name)

    def _own(self, *names: str) -> Path:
        """A path in the project: a stranger's may hold links to the user's own folders."""
        path = self.folder.joinpath(*names)
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise SftrecipeError(
                "folder-linked", "folder-linked", folder=str(path), project=str(self.folder)
            )
        return path


def project_of(recipe: Path) -> Project:
    """The project that a recipe belongs to.

    `SFTRECIPE_PROJECT` if it is set, else the nearest folder above the recipe that holds a
    `.sftrecipe`, a `dataset_info.json` or a `.git`, else the working directory.
    """
    if asked := os.environ.get("SFTRECIPE_PROJECT"):
        return Project(Path(asked).resolve())
    for folder in recipe.resolve().parents:
        if any((folder / mark).exists() for mark in _MARKS):
            return Project(folder)
    return Project(Path.cwd())
