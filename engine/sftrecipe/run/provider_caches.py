"""What providers keep in a project to be quicker the next time, and of what they made it.

A file `NAME` in a folder of `.sftrecipe/providers/` whose note, `NAME.json`, tells the folder that
it was `made_of`: it can be made again as long as that is there. Other files are none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from sftrecipe.store.project import Project

_PROBE = re.compile(r"probe-[a-z0-9_]{8}")
_PART = re.compile(r"(?P<name>.+)\.[0-9a-f]{8}\.part")


@dataclass(frozen=True)
class CachedFile:
    """One of them."""

    path: Path
    made_of: Path


def note_of(cached: Path) -> Path:
    """Where a cached file's note lies."""
    return cached.with_name(f"{cached.name}.json")


def cached_files(project: Project) -> Iterator[CachedFile]:
    """All that have a note; links are not followed."""
    for entry in _entries(project):
        try:
            made_of = orjson.loads(note_of(entry).read_bytes())["made_of"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(made_of, str):
            yield CachedFile(entry, Path(made_of))


def unfinished_files(project: Project) -> Iterator[Path]:
    """Caches that a killed run was writing, and folders of trainings that were to be measured."""
    for entry in _entries(project):
        part = _PART.fullmatch(entry.name)
        if part and note_of(entry.with_name(part["name"])).is_file():
            yield entry
    if project.state.is_dir():
        for entry in sorted(project.state.iterdir()):
            if _PROBE.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
                yield entry


def _entries(project: Project) -> Iterator[Path]:
    folder = project.state / "providers"
    for shelf in sorted(folder.glob("*")) if not folder.is_symlink() else ():
        if shelf.is_dir() and not shelf.is_symlink():
            yield from (
                each for each in sorted(shelf.iterdir()) if each.is_file() and not each.is_symlink()
            )
