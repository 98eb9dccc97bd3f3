"""What the words of `sftrecipe diff` mean: runs, recipes, locks, files of git revisions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from sftrecipe.errors import Problem, RecipeError, SftrecipeError, UsageError
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.recipe.reader.layers import compose
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.report.comparison.compared_side import (
    ComparedSide,
    SideHead,
    planned_side,
    run_side,
)
from sftrecipe.report.comparison.revision_folder import RevisionFolder
from sftrecipe.report.pages.run.facts.opened_run import opened_run
from sftrecipe.run.project_runs import told_out
from sftrecipe.run.recipe_lock.lock_contents import RecipeLock
from sftrecipe.run.recipe_lock.lock_reader import SUFFIX, lock_path, parse_lock, read_lock
from sftrecipe.run.recipe_lock.locked_facts import current_lock
from sftrecipe.run.run_file import read_run
from sftrecipe.run.run_history import HistoryEntry, history
from sftrecipe.store.git_files import git_revision
from sftrecipe.store.project import RUN_FILE, Project, project_around, project_of

_LAST = re.compile(r"last(?:~(\d{1,6}))?")
_RECIPES = (".yaml", ".yml")


@dataclass
class NamedSides:
    """Finds sides by what the user calls them."""

    scratch: Path
    """An empty folder for what is taken from git."""
    profile: str | None
    variables: Mapping[str, str]
    allow_paths: Sequence[Path]
    check: Callable[[Path, str | None], CheckedRecipe]
    """Checks a recipe under a profile. Raises RecipeError."""
    words: Sequence[str]

    def sides(self) -> tuple[ComparedSide, ComparedSide]:
        """Both sides; one word is compared with the last run, as its later form where it is a
        recipe. Raises UsageError, RecipeError, SftrecipeError."""
        match list(self.words):
            case []:
                was, now = "last~1", "last"
            case [one] if self._is_recipe(one):
                was, now = "last", one
            case [one]:
                was, now = one, "last"
            case [was, now, *_]:
                pass
        entries = {word: self._entry(word) for word in (was, now)}
        runs = {word: self._run(entry) for word, entry in entries.items() if entry}
        ran = next((run.head.profile for run in runs.values()), "")
        profile = self.profile or ran or self._locked_profile
        return self._side(was, runs, profile), self._side(now, runs, profile)

    def _side(
        self, word: str, runs: Mapping[str, ComparedSide], profile: str | None
    ) -> ComparedSide:
        path = Path(word)
        if word in runs:
            return runs[word]
        if path.is_file() and path.suffix == SUFFIX:
            lock = read_lock(path)
            head = SideHead("lock", word, str(lock.facts.get(("name",), "")), lock.profile or "")
            return ComparedSide(head, lock=lock)
        if self._is_recipe(word):
            return self._recipe(path, SideHead("recipe", word), self.project, profile)
        if (found := self._folder_run(path)) is not None:
            return found
        revision, colon, name = word.partition(":")
        if colon and revision and name:
            return self._of_revision(word, revision, name, profile)
        raise UsageError("diff-unknown", "diff-words", word=word, folder=self._folder)

    # runs

    @cached_property
    def project(self) -> Project:
        """The project: that of a recipe or a folder that is named, else around this place."""
        for word in self.words:
            if (path := Path(word)).exists() and not _LAST.fullmatch(word):
                return project_around(path) if path.is_dir() else project_of(path)
        return project_around()

    @property
    def _folder(self) -> str:
        return str(self.project.folder)

    @property
    def _locked_profile(self) -> str | None:
        """The profile that a lock is of."""
        locks = (Path(word) for word in self.words if word.endswith(SUFFIX))
        return next((read_lock(path).profile for path in locks if path.is_file()), None)

    @cached_property
    def _history(self) -> list[HistoryEntry]:
        return history(self.project)

    @cached_property
    def _own_runs(self) -> list[HistoryEntry]:
        """Runs of the recipe that is named beside; else of that which ran last."""
        named = [self._recipe_path(word) for word in self.words]
        for path in filter(None, named):
            found = [each for each in self._history if Path(each.head.recipe).name == path.name]
            same = [each for each in found if Path(each.head.recipe).resolve() == path.resolve()]
            if same or found:
                return same or found
        last = self._history[-1:]
        return [each for each in self._history if last and each.out == last[0].out]

    def _recipe_path(self, word: str) -> Path | None:
        """The recipe that a word speaks of, also as a lock's or a revision's."""
        name = word.rpartition(":")[2] if not Path(word).exists() else word
        path = Path(name)
        if path.suffix == SUFFIX:
            path = next((p for s in _RECIPES if (p := path.with_suffix(s)).exists()), path)
        return path if path.suffix in _RECIPES else None

    def _entry(self, word: str) -> HistoryEntry | None:
        """The run of the history that a word means. Raises UsageError where it means several, or
        one further back than there are."""
        if found := _LAST.fullmatch(word):
            back = int(found[1] or 0) + 1
            if back > len(self._own_runs):
                values = {"word": word, "count": len(self._own_runs)}
                raise UsageError("diff-too-far", "diff-history", **values, folder=self._folder)
            return self._own_runs[-back]
        if len(word) < 4 or not re.fullmatch(r"[0-9a-f-]+", word) or Path(word).exists():
            return None
        meant = [
            each
            for each in self._history
            if each.id.startswith(word) or each.id.rpartition("-")[2].startswith(word)
        ]
        if len(meant) > 1:
            ids = ", ".join(each.id for each in meant[-5:])
            raise UsageError("diff-several", "diff-history", word=word, ids=ids)
        return meant[0] if meant else None

    def _run(self, entry: HistoryEntry) -> ComparedSide:
        out = self.project.folder / entry.out
        opened = opened_run(out, entry.record, self.project, entry.contents)
        return run_side(entry.id, opened, self.project, entry)

    def _folder_run(self, path: Path) -> ComparedSide | None:
        """The run that left its word in a folder, or in one under `runs`."""
        path = path.parent if path.name == RUN_FILE else path
        for out in (path, self.project.folder / "runs" / path):
            record = read_run(out) if (out / RUN_FILE).is_file() else None
            if record is None:
                continue
            told = told_out(self.project, out.resolve())
            same = (e for e in self._history if e.out == told)
            entry = next((e for e in same if e.head.started == record.started), None)
            if entry is not None:
                return self._run(entry)
            return run_side(str(out), opened_run(out, record, self.project), self.project, None)
        return None

    # recipes

    def _is_recipe(self, word: str) -> bool:
        return Path(word).is_file() and Path(word).suffix in _RECIPES

    def _recipe(
        self, path: Path, head: SideHead, project: Project, profile: str | None
    ) -> ComparedSide:
        """A recipe, as far as it can be composed, checked and planned."""
        found = self._document(path, profile).plain()
        document: Mapping[str, Any] = found if isinstance(found, dict) else {}
        head = replace(head, recipe=str(document.get("name", "")), profile=profile or "")
        try:
            checked = self.check(path, profile)
            side = planned_side(head, document, plan_recipe(checked, project, "evaluate"))
        except RecipeError as error:
            return ComparedSide(head, document, problems=error.problems)
        except SftrecipeError as error:
            return ComparedSide(head, document, problems=[error.problem])
        beside = lock_path(path, profile)
        return replace(side, lock=self._lock_of(checked, project, beside))

    def _document(self, path: Path, profile: str | None) -> Node:
        roots = Roots(path, self.allow_paths, self.variables)
        return compose(path, roots, profile=profile, variables=self.variables).root

    def _lock_of(self, checked: CheckedRecipe, project: Project, beside: Path) -> RecipeLock | None:
        if any(word.endswith(SUFFIX) for word in self.words):
            return current_lock(checked, project)
        try:
            return read_lock(beside) if beside.is_file() else None
        except RecipeError:  # `lock --check` tells
            return None

    # git

    def _of_revision(
        self, word: str, revision: str, name: str, profile: str | None
    ) -> ComparedSide:
        found = git_revision(self.project.folder, revision)
        top = found.folder.resolve()
        here = Path(name) if Path(name).is_absolute() else Path.cwd() / name
        try:
            path = PurePosixPath(here.resolve().relative_to(top).as_posix())
        except ValueError:
            path = PurePosixPath(name)
        path = path if path in found.files else PurePosixPath(name)
        head = SideHead("recipe", word, commit=found.commit[:12])
        if path.suffix == SUFFIX and path in found.files:
            lock = parse_lock(found.content(path), word)
            head = replace(head, kind="lock", recipe=str(lock.facts.get(("name",), "")))
            return ComparedSide(head, lock=lock)
        folder = self.scratch / found.commit
        try:
            recipe = RevisionFolder(found, folder).recipe(
                path, lambda file: self._document(file, profile), profile
            )
            side = self._recipe(recipe, head, Project(folder), profile)
        except RecipeError as error:
            raise RecipeError(_placed_in(revision, folder, error.problems)) from error
        return replace(side, problems=_placed_in(revision, folder, side.problems))


def _placed_in(revision: str, folder: Path, problems: Sequence[Problem]) -> list[Problem]:
    """Problems of files that were taken from a revision, with their places there."""
    return [
        replace(each, position=replace(place, path=f"{revision}:{file.relative_to(folder)}"))
        if (place := each.position) and (file := Path(place.path)).is_relative_to(folder)
        else each
        for each in problems
    ]
