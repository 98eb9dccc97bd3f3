"""Content hashes of files, remembered for large ones by everything that a change leaves behind."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import SftrecipeError, limit_reached
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.store.atomic_files import create

_WORTH_REMEMBERING = 16 * 1024 * 1024
_OWN = ".sftrecipe"
"""A project's state, which changes while a run works."""
_ATTEMPTS = 3
_TICK = 0.02
"""Seconds between two changes that the system's clock of files surely tells apart."""

State = tuple[int, ...]


class FileHashes:
    """Hashes files and folders; what is remembered lies in `memory`, a JSON file.

    A file's state holds the time when the system last changed it, which nobody can set: an edit
    that keeps size and time, or puts back what stood there, shows in it.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._seen: dict[Path, tuple[State, str]] = {}
        self._known = _remembered(memory)

    def of(self, path: str | Path) -> str:
        """The hash of a file, or of all files of a folder with their names.

        Raises SftrecipeError for one that does not hold still, is gone or cannot be read.
        """
        try:
            return self._of(Path(path))
        except FileNotFoundError as error:
            raise SftrecipeError("missing-file", path=error.filename or path) from error
        except OSError as error:
            if limit := limit_reached(error):
                raise limit from error
            values = {"path": error.filename or path, "error": error.strerror or str(error)}
            raise SftrecipeError("unreadable-file", None, **values) from error

    def _of(self, place: Path) -> str:
        if not place.is_dir():
            return self._file(place)
        files = sorted(file for file in _inside(place) if file.is_file())
        return "\n".join(f"{file.relative_to(place)} {self._file(file)}" for file in files)

    def _file(self, path: Path) -> str:
        for _ in range(_ATTEMPTS):
            state = _settled(path)
            seen = self._seen.get(path)
            if seen is not None and seen[0] == state:
                return seen[1]
            found = self._found(path, state)
            if _state(path) == state:  # what was hashed is what lies there
                self._seen[path] = state, found
                self._remember(path, state, found)
                return found
        raise SftrecipeError("file-changing", path=str(path))

    def _found(self, path: Path, state: State) -> str:
        known = self._known.get(_entry(path, state)) if state[2] >= _WORTH_REMEMBERING else None
        return known or content_hash(path)

    def _remember(self, path: Path, state: State, found: str) -> None:
        entry = _entry(path, state)
        if state[2] < _WORTH_REMEMBERING or self._known.get(entry) == found:
            return
        self._known[entry] = found
        with (
            suppress(SftrecipeError, OSError),  # without it time is lost, and nothing else
            create(self._memory.parent, self._memory.name) as file,
        ):
            file.write(orjson.dumps(self._known))


@cache
def file_hashes(memory: Path) -> FileHashes:
    """The hashes that a process knows, of which large ones are remembered in `memory`."""
    return FileHashes(memory)


def content_hash(path: Path) -> str:
    """The hash of what a file holds."""
    with open_regular(path) as file:
        return file_digest(file, "blake2b").hexdigest()[:32]


def hash_of(content: bytes) -> str:
    """The hash of a file that holds this."""
    return blake2b(content).hexdigest()[:32]


def states(paths: Iterable[Path]) -> list[Any]:
    """What shows whether somebody touched files, or anything in folders, in between."""
    return [[_state_or_none(each) for each in (path, *_all(path))] for path in paths]


def _all(path: Path) -> list[Path]:
    return sorted(_inside(path)) if path.is_dir() else []


def _inside(folder: Path) -> Iterator[Path]:
    """All files and folders in it but a project's own state."""
    for path in folder.rglob("*"):
        if _OWN not in path.relative_to(folder).parts:
            yield path


def _state(path: Path) -> State:
    about = path.stat()
    return (
        *(about.st_dev, about.st_ino, about.st_size),
        *(about.st_mtime_ns, about.st_ctime_ns),
    )


def _state_or_none(path: Path) -> State | None:
    try:
        return _state(path)
    except OSError:
        return None


def _settled(path: Path) -> State:
    """The file's state, once it is old enough for the next change to show in it."""
    state = _state(path)
    if 0 <= time.time() - state[4] / 1e9 < _TICK:
        time.sleep(_TICK)
    return _state(path)


def _entry(path: Path, state: State) -> str:
    return " ".join((str(path.resolve()), *map(str, state[1:])))


def _remembered(memory: Path) -> dict[str, str]:
    try:
        with open_regular(memory) as file:
            known = orjson.loads(file.read())
    except (OSError, orjson.JSONDecodeError):
        return {}
    if not isinstance(known, dict) or not all(isinstance(value, str) for value in known.values()):
        return {}
    return known
