"""The history of a project: what every run said of itself at its end, and what its steps held.

An entry is written at a run's end. A note is written before its first step is executed; where it
was killed, the note becomes an entry at the next look. Rows are not kept here: they lie in the
store by the steps' keys, and an entry knows by their content whether they are still the run's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.run.project_runs import told_out
from sftrecipe.run.run_file import record_of
from sftrecipe.run.run_record import RunRecord, StepRecord, step_records
from sftrecipe.run.run_state import RunState
from sftrecipe.store import atomic_files
from sftrecipe.store.artifacts import FACTS, StepStore
from sftrecipe.store.file_hashes import hash_of
from sftrecipe.store.json_fields import field_of, object_in, objects_of, texts_by_name
from sftrecipe.store.lock_files import LockFile, is_held
from sftrecipe.store.project import Project
from sftrecipe.store.step_facts import StepFacts

KILLED = "killed"
"""The status of a run that did not live to write its end."""
RUNNING = "running"
_NOTE = ".begun"
_TEXTS = "files"
_ID = re.compile(r"[12]\d{7}-\d{6}-\d{3}[0-9a-f]{4}")
_HASH = re.compile(r"[0-9a-f]{32}")
LARGEST_TEXT = 64 * 1024
_ROWS = ("made", "kept", "rejected", "set_aside")
_MOST_TEXTS = 200
"""Files of a run whose content is kept."""


@dataclass(frozen=True)
class HistoryEntry:
    """One run."""

    id: str
    """The time of its beginning, the milliseconds with four random digits."""
    out: str
    """Its output folder, from the project on where it lies there."""
    head: RunRecord
    """What it says of itself, without its steps."""
    keys: Sequence[tuple[str, str]]
    """Ids and keys of its steps, in order."""
    contents: Mapping[str, str]
    """By step, what it held."""
    files: Mapping[str, str]
    """Hashes of the files that its steps read, by name."""
    steps: Callable[[], Iterable[StepRecord]]
    """Its steps: of thousands of runs, those of few are looked at."""

    @classmethod
    def of(
        cls,
        name: str,
        out: str,
        record: RunRecord,
        contents: Mapping[str, str],
        files: Mapping[str, str],
    ) -> Self:
        """An entry of a run whose steps are known."""
        keys = [(step.id, step.key) for step in record.steps]
        return cls(
            name, out, replace(record, steps=()), keys, contents, files, lambda: record.steps
        )

    @cached_property
    def record(self) -> RunRecord:
        """All that it says of itself."""
        return replace(self.head, steps=tuple(self.steps()))

    @cached_property
    def began(self) -> datetime:
        """When it began, in UTC."""
        day, time = self.id[:8], self.id[9:15]
        return datetime.fromisoformat(f"{day}T{time}+00:00")

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "id": self.id,
            "out": self.out,
            "contents": dict(self.contents),
            "files": dict(self.files),
            "run": self.record.as_json(),
        }


class KeptRun:
    """A run in progress, on its way into the history.

    What cannot be written is left out: a run does not fail by its history.
    """

    def __init__(self, run: RunState, project: Project, before: RunRecord) -> None:
        self._run, self._project, self._before = run, project, before
        now = datetime.now(UTC)
        mark = f"{now.microsecond // 1000:03}{secrets.token_hex(2)}"
        self._name = f"{now:%Y%m%d-%H%M%S}-{mark}"
        self._lock: LockFile | None = None

    def begin(self) -> None:
        """Note that the run has something to do."""
        if self._lock is not None:
            return
        with suppress(SftrecipeError, OSError):
            folder = self._project.history
            folder.mkdir(parents=True, exist_ok=True)
            list(_noted(self._project))  # before this run does what a killed one had not done
            self._lock = LockFile(folder / f"{self._name}.lock")
            plan = [_planned(step) for step in self._run.plan.steps]
            entry = self._entry(record_of(self._run)).as_json()
            _write(folder, f"{self._name}{_NOTE}", {**entry, "plan": plan})

    def end(self, record: RunRecord) -> None:
        """Write the entry, unless the run did nothing, and ended as the one before it."""
        with suppress(SftrecipeError, OSError):
            folder = self._project.history
            if not _adds_nothing(record, self._before):
                _write(folder, f"{self._name}.json", self._entry(record).as_json())
                self._keep_texts(folder / _TEXTS)
            (folder / f"{self._name}{_NOTE}").unlink(missing_ok=True)

    def release(self) -> None:
        """The run is over, whether or not its end could be written."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _entry(self, record: RunRecord) -> HistoryEntry:
        contents = {done.step.id: done.facts.content for done in self._run.done}
        files = {name: content for name, (content, _) in self._read.items()}
        out = told_out(self._project, self._run.out)
        return HistoryEntry.of(self._name, out, record, contents, files)

    @cached_property
    def _read(self) -> dict[str, tuple[str, Path]]:
        return self._run.plan.read_files()

    def _keep_texts(self, folder: Path) -> None:
        """Keep the small files that still hold what the run read."""
        for content, path in [*self._read.values()][:_MOST_TEXTS]:
            with suppress(OSError):
                small = path.stat().st_size <= LARGEST_TEXT and not (folder / content).exists()
                held = _held_as(path, content) if small else None
                if held is not None and b"\0" not in held:
                    with atomic_files.create(folder, content) as written:
                        written.write(held)


@contextmanager
def keeping(run: RunState, project: Project, before: RunRecord) -> Iterator[KeptRun]:
    """A run that is kept in the history as far as it tells of itself; `before` is the one that
    left its word in the output folder."""
    kept = KeptRun(run, project, before)
    try:
        yield kept
    finally:
        kept.release()


def history(project: Project) -> list[HistoryEntry]:
    """All runs that are kept, the oldest first; those that were killed are entered now."""
    noted = list(_noted(project))  # first: who ends meanwhile is then among those that ended
    found = {each.id: each for each in (*noted, *_ended(project))}
    return sorted(found.values(), key=lambda each: each.id)


def damaged_entries(project: Project, entries: Iterable[HistoryEntry]) -> list[str]:
    """Names of the history's files of which nobody can tell what run it was."""
    told = {each.id for each in entries}
    files = [*project.history.glob("*.json"), *project.history.glob(f"*{_NOTE}")]
    return sorted(
        path.name
        for path in files
        if path.stem not in told and _entry(path.stem, object_in(path)) is None and path.exists()
    )


def kept_text(project: Project, content: str) -> str | None:
    """The text of a small file that a run read, by its hash; None where it is not kept."""
    if not _HASH.fullmatch(content):
        return None
    try:
        held = _held_as(project.history / _TEXTS / content, content)
        return None if held is None else held.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _held_as(path: Path, content: str) -> bytes | None:
    """What a small file holds, if that is what the hash says."""
    with open_regular(path) as file:
        held = file.read(LARGEST_TEXT + 1)
    return held if hash_of(held) == content else None


def without_rows(entries: Iterable[HistoryEntry], store: StepStore) -> set[str]:
    """Ids of the runs whose steps' results are not all there any more as they were."""
    now = cache(lambda key: content_now(store, key))
    return {
        entry.id
        for entry in entries
        if any(now(key) != entry.contents.get(step) for step, key in entry.keys)
    }


def content_now(store: StepStore, key: str) -> str | None:
    """What a step holds, by its own word; None where it is not there."""
    done = _done_now(store, key)
    return None if done is None else done[0].content


def _done_now(store: StepStore, key: str) -> tuple[StepFacts, float] | None:
    """What a step says of itself, and since when; None where it is not there."""
    try:
        return store.facts(key), (store.path(key) / FACTS).stat().st_mtime
    except (OSError, ValueError):
        return None


def _adds_nothing(record: RunRecord, before: RunRecord) -> bool:
    usage = record.usage
    return (
        all(step.cached for step in record.steps)
        and not (usage and usage.requests)
        and (record.status, record.profile) == (before.status, before.profile)
        and (record.end and record.end.slug) == (before.end and before.end.slug)
        and record.document == before.document
        and [step.key for step in record.steps] == [step.key for step in before.steps]
    )


def _planned(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "section": step.block.section,
        "use": step.block.use,
        "key": step.key,
        "reads": step.reads,
        "after": step.after,
        "makes": step.makes,
        "thins": step.thins,
        "parts": step.parts,
    }


def _noted(project: Project) -> Iterator[HistoryEntry]:
    """The runs that have only begun; those whose process is gone are entered as killed."""
    store = StepStore(project.steps)
    for path in sorted(project.history.glob(f"*{_NOTE}")):
        name = path.name.removesuffix(_NOTE)
        runs, note = is_held(path.with_name(f"{name}.lock")), object_in(path)
        if path.with_name(f"{name}.json").exists():
            if not runs:
                path.unlink(missing_ok=True)
        elif (entry := _entry(name, note)) is not None:
            status = RUNNING if runs else KILLED
            entry = _as_far_as_it_came(entry, note, store, status)
            if not runs:
                with suppress(SftrecipeError, OSError):
                    _write(project.history, f"{name}.json", entry.as_json())
                    path.unlink(missing_ok=True)
            yield entry


def _as_far_as_it_came(
    entry: HistoryEntry, note: Mapping[str, Any], store: StepStore, status: str
) -> HistoryEntry:
    """The entry with the planned steps that are done, up to the first that is not."""
    steps: list[StepRecord] = []
    contents: dict[str, str] = {}
    began = entry.began.timestamp()
    for planned in objects_of(note, "plan"):
        key = field_of(planned, "key", "")
        done = _done_now(store, key)
        if done is None:
            break
        facts, written = done
        cached = written < began
        steps.append(StepRecord.from_json({**facts.as_json(), **planned, "cached": cached}))
        contents[steps[-1].id] = facts.content
    record = replace(entry.record, status=status, steps=steps)
    return HistoryEntry.of(entry.id, entry.out, record, contents, entry.files)


def _ended(project: Project) -> Iterator[HistoryEntry]:
    for path in sorted(project.history.glob("*.json")):
        if (entry := _entry(path.stem, object_in(path))) is not None:
            yield entry


def _entry(name: str, found: Mapping[str, Any]) -> HistoryEntry | None:
    """What was written of a run; None where it is none, or stands under another's name."""
    if found.get("id") != name or not _ID.fullmatch(name):
        return None
    run = field_of(found, "run", dict[str, Any]())
    written = list(objects_of(run, "steps"))
    try:
        entry = HistoryEntry(
            name,
            field_of(found, "out", ""),
            RunRecord.from_json({**run, "steps": []}),
            [(field_of(each, "id", ""), field_of(each, "key", "")) for each in written],
            texts_by_name(found, "contents"),
            texts_by_name(found, "files"),
            lambda: step_records(run),
        )
        entry.began  # noqa: B018 - an id that tells no time is none
        if not all(map(_is_readable, written)):
            entry.record  # noqa: B018 - nor is one whose steps cannot be told
    except (TypeError, ValueError, AttributeError, LookupError):
        return None
    return entry


def _is_readable(step: Mapping[str, Any]) -> bool:
    """Whether what was written of a step can be told for sure, without trying."""
    if not all(isinstance(step.get(name, 0), int) for name in _ROWS):
        return False
    notes = step.get("notes")
    shares = notes.get("shares") if isinstance(notes, dict) else None
    return not isinstance(shares, dict) or all(isinstance(each, dict) for each in shares.values())


def _write(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    with atomic_files.create(folder, name) as file:
        file.write(orjson.dumps(content))
