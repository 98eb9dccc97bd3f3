"""What lies in a project that the state of none of its runs uses, and clearing it away.

An allow-list: only what this program is known to have made is ever one of them. Links are not
followed, and the ledger, whose replies were paid for, is none of it.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sftrecipe.plugin.kept_models import FREED, KEPT, MIXED, KeptModel, kept_model_of, kept_models
from sftrecipe.run.output_folder import recipe_of
from sftrecipe.run.project_runs import ProjectRun, project_runs
from sftrecipe.run.provider_caches import cached_files, note_of, unfinished_files
from sftrecipe.run.run_history import RUNNING, HistoryEntry, history, without_rows
from sftrecipe.store.artifacts import FACTS, StepStore, is_draft_held
from sftrecipe.store.project import Project

Kind = Literal["model", "training", "set-aside", "checkpoint", "cache", "step", "draft"]
KINDS: tuple[Kind, ...] = (
    *("model", "training", "checkpoint", "set-aside"),
    *("cache", "step", "draft"),
)
"""A trained model; a training that did not come to its end; its checkpoints once it did; what is of
no use; what a provider made of a model; a step's result; what was not written to its end."""
_KEY = re.compile(r"[0-9a-f]{32}")
_DRAFT = re.compile(r"[0-9a-f]{32}\.draft-[0-9a-f]{16}")
_LOCK = re.compile(r"[0-9a-f]{32}\.draft-[0-9a-f]{16}\.lock")
_ASIDE = re.compile(rf"[0-9a-f]{{32}}\.(?:{FREED}|{MIXED})-[0-9a-f]{{8}}")
_UNWRITTEN = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
_NAMED = re.compile(rf"{KEPT}/([0-9a-f]{{32}})")
_FRESH_SECONDS = 60.0
_LARGEST_RECIPE = 1 << 20


@dataclass(frozen=True)
class Leftover:
    """One of them."""

    kind: Kind
    path: Path
    made_by: str
    """The recipe and the block; empty where nobody noted it."""
    bytes: int
    changed: float
    """When it was changed last, in seconds since 1970."""

    def facts(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "kind": self.kind,
            "path": str(self.path),
            "made_by": self.made_by,
            "bytes": self.bytes,
            "days": round((time.time() - self.changed) / 86400, 2),
        }


@dataclass(frozen=True)
class Leftovers:
    """All that was found."""

    found: Sequence[Leftover]
    used_bytes: int
    """Of models and steps that are used."""
    foreign: Sequence[Path]
    """What lies among them and is not known to be ours: it stays."""
    runs: Sequence[HistoryEntry]
    """The project's history."""


def leftovers(project: Project, keep: int = 0) -> Leftovers:
    """What no current run of the project uses, nor one of the last so many runs of each recipe.

    Removes nothing.
    """
    runs, entries = project_runs(project), history(project)
    found: list[Leftover] = []
    foreign: list[Path] = []
    used = 0
    named = set(_named_models(project, [run.out for run in runs]))
    for run in runs:
        if _is_of(project, run.out):
            used += _look_at_models(run, named, found, foreign)
            found += _unwritten(run)
    in_use = {key for run in runs for key in run.uses} | kept_keys(entries, keep)
    used += _look_at_steps(project, runs, in_use, found, foreign)
    used += _look_at_caches(project, found)
    order = {kind: place for place, kind in enumerate(KINDS)}
    found.sort(key=lambda each: (order[each.kind], each.made_by, -each.bytes))
    return Leftovers(found, used, foreign, entries)


def kept_back(
    found: Iterable[Leftover], days: float | None, models: int | None
) -> Iterator[Leftover]:
    """Those that the user wants to keep: changed in so many days; so many models of a training."""
    youngest = time.time() - (days or 0.0) * 86400
    seen: dict[tuple[Path, str], int] = {}
    for each in sorted(found, key=lambda each: -each.changed):
        training = each.path.parent, each.made_by
        counts = each.kind == "model" and models is not None
        seen[training] = seen.get(training, 0) + counts
        is_young = days is not None and each.changed >= youngest
        if is_young or (counts and seen[training] <= (models or 0)):
            yield each


def kept_keys(entries: Sequence[HistoryEntry], keep: int) -> set[str]:
    """Keys of the steps of the last so many runs into each output folder, and of what runs now.

    A recipe's runs share their folder unless `--out` says otherwise; variants of a sweep have one
    each.
    """
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for entry in reversed(entries):
        runs = entry.head.status == RUNNING
        seen[entry.out] += not runs
        if runs or seen[entry.out] <= keep:
            found |= {key for _, key in entry.keys}
    return found


def runs_without_rows(
    entries: Iterable[HistoryEntry], freed: Iterable[Leftover], project: Project
) -> list[HistoryEntry]:
    """The runs of the history whose rows are there, and go with what is freed."""
    keys = frozenset(each.path.name for each in freed if each.kind == "step")
    of_these = [each for each in entries if any(key in keys for _, key in each.keys)]
    gone = without_rows(of_these, StepStore(project.steps))
    return [each for each in of_these if each.id not in gone]


def free(each: Leftover) -> None:
    """Remove one. Who is killed meanwhile leaves what is found the next time."""
    path = each.path
    if path.is_symlink():
        return
    if each.kind in ("model", "training"):
        KeptModel(path.parent.parent, path.name).remove()
    elif each.kind == "step":
        _remove(path.rename(path.with_name(f"{path.name}.draft-{secrets.token_hex(8)}")))
    elif each.kind == "checkpoint":
        _remove(path.rename(path.with_name(f".{FREED}-{secrets.token_hex(4)}")))
    else:
        _remove(path)
    if each.kind == "cache":
        _remove(note_of(path))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_of(project: Project, out: Path) -> bool:
    """Whether models in an output folder are the project's: it lies there, or its recipe does."""
    folder = project.folder.resolve()
    if out.is_relative_to(folder):
        return True
    recipe = recipe_of(out)
    return recipe is not None and recipe.resolve().is_relative_to(folder)


def _named_models(project: Project, outs: Sequence[Path]) -> Iterator[str]:
    """Keys of models that a recipe of the project names by their folder.

    What runs wrote is none: their configurations name models that are used no more.
    """
    folder = project.folder.resolve()
    for pattern in ("*.yaml", "*.yml", "*/*.yaml", "*/*.yml", "*/*/*.yaml"):
        for file in folder.glob(pattern):
            if any(file.is_relative_to(out) for out in outs):
                continue
            with suppress(OSError):
                if file.is_file() and file.stat().st_size <= _LARGEST_RECIPE:
                    yield from _NAMED.findall(file.read_text("utf-8", "replace"))


def _look_at_models(
    run: ProjectRun, named: set[str], found: list[Leftover], foreign: list[Path]
) -> int:
    """Note the models of an output folder that are not used; bytes of those that are."""
    models, used = list(kept_models(run.out)), 0
    in_use = _used_models(run, models) | named
    for kept in models:
        made = _maker(kept)
        spare = list(_spare(kept))
        if kept.key in in_use:
            used += _size(kept.folder) - sum(map(_size, spare))
            found += [_leftover("checkpoint", path, made) for path in spare]
        else:
            kind: Kind = "model" if kept.note.done else "training"
            found.append(_leftover(kind, kept.folder, made))
    known = {kept.folder for kept in models}
    folder = run.out / KEPT
    if folder.is_symlink() or not folder.is_dir():
        return used
    for entry in sorted(folder.iterdir()):
        if entry in known:
            continue
        is_empty = not entry.is_symlink() and _KEY.fullmatch(entry.name) and _is_empty(entry)
        if is_empty or (not entry.is_symlink() and _ASIDE.fullmatch(entry.name)):
            found.append(_leftover("set-aside", entry, run.recipe))
        else:
            foreign.append(entry)
    return used


def _used_models(run: ProjectRun, models: Sequence[KeptModel]) -> set[str]:
    """Keys of the current ones, of those that the last run ended with, and of a training that was
    begun last and can go on."""
    used = {kept.key for kept in models if kept.current}
    for step in run.record.steps:
        if step.facts.model:
            kept = kept_model_of(run.out, run.out / step.facts.model.folder)
            used |= {kept.key} if kept else set()
    latest: dict[str, KeptModel] = {}
    for kept in sorted(models, key=lambda kept: _changed(kept.folder)):
        latest[kept.note.name] = kept
    return used | {kept.key for kept in latest.values() if not kept.note.done}


def _spare(kept: KeptModel) -> Iterator[Path]:
    """What nobody needs any more in the folder of a training that is done."""
    if not kept.note.done:
        return
    for pattern in (*kept.note.spare, f".{FREED}-????????"):
        if "/" not in pattern and pattern[:1] not in ("*", ""):
            yield from (path for path in kept.folder.glob(pattern) if not path.is_symlink())


def _maker(kept: KeptModel) -> str:
    made = kept.note.made_by
    names = (made.get("recipe"), made.get("block"))
    return "/".join(name for name in names if isinstance(name, str))


def _look_at_steps(
    project: Project,
    runs: Sequence[ProjectRun],
    in_use: set[str],
    found: list[Leftover],
    foreign: list[Path],
) -> int:
    """Note the results of steps that are not used; bytes of those that are."""
    makers = {key: f"{run.recipe}/{name}" for run in runs for key, name in run.earlier.items()}
    used = 0
    for shelf in sorted(project.steps.glob("*")):
        if shelf.is_symlink() or not shelf.is_dir() or not re.fullmatch(r"[0-9a-f]{2}", shelf.name):
            foreign.append(shelf)
            continue
        for entry in sorted(shelf.iterdir()):
            name = entry.name
            if entry.is_symlink():
                foreign.append(entry)
            elif _KEY.fullmatch(name) and (entry / FACTS).is_file():
                if name in in_use:
                    used += _size(entry)
                else:
                    found.append(_leftover("step", entry, makers.get(name, "")))
            elif _DRAFT.fullmatch(name):
                if not is_draft_held(entry):
                    found.append(_leftover("draft", entry, ""))
            elif not _LOCK.fullmatch(name):
                foreign.append(entry)
    return used


def _look_at_caches(project: Project, found: list[Leftover]) -> int:
    """Note caches whose model is gone, or unused itself; bytes of the others."""
    used, unused = 0, [each.path for each in found if each.kind in ("model", "training")]
    for each in cached_files(project):
        made_of = each.made_of.resolve()
        if made_of.exists() and not any(made_of.is_relative_to(path) for path in unused):
            used += _size(each.path)
        else:
            found.append(_leftover("cache", each.path, each.path.parent.name))
    found += [_leftover("draft", path, "") for path in unfinished_files(project)]
    return used


def _unwritten(run: ProjectRun) -> Iterator[Leftover]:
    """Files of an output folder that a killed run was just writing."""
    if not run.out.is_dir():
        return
    for entry in run.out.iterdir():
        is_file = entry.is_file() and not entry.is_symlink()
        is_old = time.time() - _changed(entry) > _FRESH_SECONDS
        if is_file and is_old and _UNWRITTEN.fullmatch(entry.name):
            yield _leftover("draft", entry, run.recipe)


def _leftover(kind: Kind, path: Path, made_by: str) -> Leftover:
    return Leftover(kind, path, made_by, _size(path), _changed(path))


def _changed(path: Path) -> float:
    """When a folder's own files were changed last, or a file; now, where a run just took it."""
    try:
        times = [path.lstat().st_mtime]
        if path.is_dir() and not path.is_symlink():
            times = [each.lstat().st_mtime for each in path.iterdir()] or times
    except FileNotFoundError:
        return time.time()
    return max(times)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _size(path: Path) -> int:
    """Bytes of a file or of all in a folder; links count for themselves, and what a run took away
    meanwhile for nothing."""
    with suppress(FileNotFoundError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(_size(each) for each in path.iterdir())
    return 0
