"""The folders that a run writes to: permission and room."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from sftrecipe.doctor.finding import Finding, fault, ok
from sftrecipe.plugin.plugin_kinds import Source
from sftrecipe.recipe.recipe import CheckedRecipe

_ROOM = 100 * 1024 * 1024
"""Bytes for the ledger, what the steps make of small sources, and the reports."""
_COPIES = 3
"""Times that the rows of the sources are written: by their steps, the mix and the exports."""


def room_needed(recipe: CheckedRecipe | None) -> int:
    """Bytes that a run of the recipe probably needs; replies to come are not among them."""
    files = set()
    for block in recipe.sources.values() if recipe else ():
        if isinstance(block.plugin, Source):
            files |= {Path(path) for path in block.files.paths.values()}
    return _ROOM + _COPIES * sum(path.stat().st_size for path in files if path.is_file())


def check_folders(folders: Iterable[Path], needed: int) -> Iterator[Finding]:
    """Whether each folder, or the one in which it will be made, can be written and has room."""
    for folder in dict.fromkeys(folders):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        shown = str(folder)
        try:
            _write_in(there)
        except OSError as error:
            text = error.strerror or str(error)
            yield fault(
                "folder", shown, "folder-read-only", "doctor-folder", folder=shown, error=text
            )
            continue
        free = shutil.disk_usage(there).free
        facts = {"folder": shown, "free": size(free), "needed": size(needed)}
        if free < needed:
            yield fault("folder", shown, "doctor-disk", "doctor-disk", **facts)
        else:
            yield ok("folder", shown, "doctor-folder", **facts)


def _write_in(folder: Path) -> None:
    if not folder.is_dir():
        raise NotADirectoryError(20, "a file stands in its place", str(folder))
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"sftrecipe")
        file.flush()
        os.fsync(file.fileno())


def size(count: float) -> str:
    """Bytes in the unit that reads best."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
