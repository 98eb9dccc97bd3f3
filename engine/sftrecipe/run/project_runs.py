"""The runs of a project: where each leaves its results, and which steps it is made of.

Noted before a run's first step, so that what a killed one made is known too. `--out` may lead
anywhere: without the notes nobody would know of such a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import orjson

from sftrecipe.plan.steps import Plan
from sftrecipe.run.output_folder import OWNER_FILE
from sftrecipe.run.run_file import run_before
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store import atomic_files
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.json_fields import field_of, object_in
from sftrecipe.store.project import RUN_FILE, Project
from sftrecipe.store.work_lock import run_at_work

_DEEP = 4
"""Folders under `runs` that are looked through: a sweep's trainings lie two deeper than its own."""


@dataclass(frozen=True)
class ProjectRun:
    """A run's output folder, and what is known of it."""

    out: Path
    recipe: str
    record: RunRecord
    """Its `run.json`; empty where there is none."""
    steps: Mapping[str, str]
    """Ids of the steps by key that it was planned with last."""
    earlier: Mapping[str, str]
    """The same of plans before."""

    @property
    def uses(self) -> frozenset[str]:
        """Keys of the steps that its state is made of."""
        return frozenset((*self.steps, *(step.key for step in self.record.steps)))


@contextmanager
def noted_run(project: Project, plan: Plan, out: Path) -> Iterator[None]:
    """Note a run, and hold the project against who clears away until the block ends."""
    with run_at_work(project.work_lock):
        _note(project, plan, out)
        yield


def project_runs(project: Project) -> list[ProjectRun]:
    """All runs that are known of: under `runs`, and by the notes of those that lie elsewhere.

    A folder that was deleted is none; one that cannot be reached, as its disk is not there, is.
    """
    notes = {_out_of(project, note): note for note in _notes(project)}
    folders = {*notes, *_folders(project.folder / "runs", _DEEP)}
    return [
        _run(out, notes.get(out, {}))
        for out in sorted(folders)
        if out.is_dir() or not out.parent.exists()
    ]


def _run(out: Path, note: Mapping[str, object]) -> ProjectRun:
    record = run_before(out)
    return ProjectRun(
        out,
        record.name or field_of(note, "recipe", ""),
        record,
        field_of(note, "steps", dict[str, str]()),
        field_of(note, "earlier", dict[str, str]()),
    )


def _note(project: Project, plan: Plan, out: Path) -> None:
    name = _note_name(project, out)
    before = object_in(project.runs / name)
    steps = {step.key: step.id for step in plan.steps}
    known = field_of(before, "earlier", dict[str, str]())
    known |= field_of(before, "steps", dict[str, str]())
    content = {
        "out": told_out(project, out),
        "recipe": plan.recipe.name,
        "steps": steps,
        "earlier": _still_there(plan.store, known, steps),
    }
    if content != before:
        with atomic_files.create(project.runs, name) as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _still_there(
    store: StepStore, known: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, str]:
    there = ((key, name) for key, name in known.items() if store.path(key).exists())
    return {key: name for key, name in there if key not in now}


def _note_name(project: Project, out: Path) -> str:
    return blake2b(told_out(project, out).encode(), digest_size=8).hexdigest() + ".json"


def told_out(project: Project, out: Path) -> str:
    """The folder as it is noted: from the project on where it lies there, so that it may move."""
    folder = project.folder.resolve()
    return str(out.relative_to(folder)) if out.is_relative_to(folder) else str(out)


def _notes(project: Project) -> Iterator[dict[str, object]]:
    for path in sorted(project.runs.glob("*.json")):
        if (found := object_in(path)).get("out"):
            yield found


def _out_of(project: Project, note: Mapping[str, object]) -> Path:
    return Path(os.path.normpath(project.folder.resolve() / field_of(note, "out", "")))


def _folders(folder: Path, deep: int) -> Iterator[Path]:
    """Output folders in a folder; links are not followed."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or not entry.is_dir():
            continue
        if (entry / RUN_FILE).exists() or (entry / OWNER_FILE).exists():
            yield entry.resolve()
        if deep > 1 and entry.name != "models":
            yield from _folders(entry, deep - 1)
