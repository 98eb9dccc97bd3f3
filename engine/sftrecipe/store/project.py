"""Where a project keeps its state: the ledger, the artifacts of steps, the runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.recipe.project_marks import CATALOGUE, PROJECT_MARKS, STATE

RUN_FILE = "run.json"
"""What a run says of itself, in the folder of its results: its catalogue beside is no project's."""


@dataclass(frozen=True)
class Project:
    """A project's folder."""

    folder: Path

    @property
    def state(self) -> Path:
        """`.sftrecipe/`: what may be deleted at the price of asking again."""
        return self._own(STATE)

    @property
    def ledger(self) -> Path:
        """The ledger's database."""
        return self._own(STATE, "ledger.sqlite")

    @property
    def steps(self) -> Path:
        """The artifacts of steps, by key."""
        return self._own(STATE, "steps")

    @property
    def runs(self) -> Path:
        """Notes of the project's runs: where each leaves its results, and of which steps."""
        return self._own(STATE, "runs")

    @property
    def history(self) -> Path:
        """What every run said of itself at its end, and the small files that it read."""
        return self._own(STATE, "history")

    @property
    def work_lock(self) -> Path:
        """What runs hold while they work, and who clears away holds alone."""
        return self._own(STATE, "at-work.lock")

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
    """The project that a recipe belongs to: that around its folder."""
    return project_around(recipe.resolve().parent)


def project_around(folder: Path = Path()) -> Project:
    """The project around a folder, the working directory unless given.

    `SFTRECIPE_PROJECT` if it is set, else the folder, or the nearest above it, that holds a
    `.sftrecipe`, a `dataset_info.json` (one beside a run's results is none) or a `.git`, else the
    working directory.
    """
    if asked := os.environ.get("SFTRECIPE_PROJECT"):
        return Project(Path(asked).resolve())
    inner = folder.resolve()
    for each in (inner, *inner.parents):
        marks = {mark for mark in PROJECT_MARKS if (each / mark).exists()}
        if marks and not (marks == {CATALOGUE} and (each / RUN_FILE).is_file()):
            return Project(each)
    return Project(Path.cwd())
