"""`dataset_info.json`: LLaMA-Factory's catalogue of data sets, read, merged and written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.plugin_kinds import DataSet
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.store import atomic_files

NAME = "dataset_info.json"
_INDENT = re.compile(r'\{\r?\n?([ \t]+)"')


def read(path: Path) -> dict[str, Any]:
    """The entries of a catalogue, in the file's order; none where there is no file.

    Raises SftrecipeError when it is not a catalogue; nothing is repaired or overwritten.
    """
    return _parsed(path, _text(path))


def register(
    path: Path,
    data_sets: Iterable[DataSet],
    folder: Path,
    gone: Collection[str] = (),
    written: Collection[str] | None = None,
) -> bool:
    """Put the data sets of an output folder into a catalogue, and take those out that are `gone`;
    whether the file changed.

    Other entries stay as they are and where they are. An entry of the same name is replaced, or
    taken out, only where it points to a file of the output folder: one of `written`, where they are
    told. Two runs at the same time both get their
    entries in.
    Raises SftrecipeError when the file is broken or a name belongs to somebody else's data.
    """
    entries = _entries(path, data_sets, folder)
    if not entries and not gone:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_files.locked(path.parent):
        text = _text(path)
        old = _parsed(path, text)
        _check_names(entries, old, path, folder, written)
        kept = {
            name: entry
            for name, entry in old.items()
            if name not in gone or not _is_ours(entry, path, folder, written)
        }
        merged = {**kept, **entries}
        if merged == old and text is not None:
            return False
        with atomic_files.create(path.parent, path.name) as file:
            file.write(_dumped(merged, text or ""))
    return True


def check_free(
    path: Path, data_sets: Iterable[DataSet], folder: Path, written: Collection[str]
) -> None:
    """See whether the data sets could be registered. Raises SftrecipeError as `register` does."""
    if entries := _entries(path, data_sets, folder):
        _check_names(entries, read(path), path, folder, written)


def _check_names(
    entries: Iterable[str],
    old: Mapping[str, Any],
    path: Path,
    folder: Path,
    written: Collection[str] | None,
) -> None:
    for name in entries:
        if name in old and not _is_ours(old[name], path, folder, written):
            raise SftrecipeError(
                "catalogue-taken", "catalogue-other-name", path=str(path), name=name
            )


def _entries(path: Path, data_sets: Iterable[DataSet], folder: Path) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for data_set in data_sets:
        if data_set.entry is None:
            continue
        if data_set.name in entries:
            raise SftrecipeError("catalogue-duplicate", "catalogue-name", name=data_set.name)
        entries[data_set.name] = _from_there(data_set.entry, path.parent, folder)
    return entries


def _from_there(entry: Mapping[str, Any], catalogue: Path, folder: Path) -> dict[str, Any]:
    """The entry with its file as the catalogue's folder sees it."""
    moved = dict(entry)
    if "file_name" in moved:
        file = folder.resolve() / moved["file_name"]
        moved["file_name"] = Path(os.path.relpath(file, catalogue.resolve())).as_posix()
    return moved


def _is_ours(entry: Any, path: Path, folder: Path, written: Collection[str] | None) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str):
        return False
    file = Path(os.path.normpath(path.parent.resolve() / entry["file_name"]))
    if not file.is_relative_to(folder.resolve()):
        return False
    return written is None or file.relative_to(folder.resolve()).as_posix() in written


def _text(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            return file.read().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise _broken(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise _broken(path, error.strerror or str(error)) from error


def _parsed(path: Path, text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        entries = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(entries, dict):
        raise _broken(path, "not an object of data sets")
    return entries


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key '{repeated}' stands twice")
    return entries


def _broken(path: Path, error: str) -> SftrecipeError:
    return SftrecipeError("catalogue-broken", "catalogue-repair", path=str(path), error=error)


def _dumped(entries: Mapping[str, Any], before: str) -> bytes:
    """In the file's own indentation; ASCII, because LLaMA-Factory names no encoding."""
    found = _INDENT.search(before)
    text = json.dumps(entries, indent=found[1] if found else "  ", ensure_ascii=True)
    return text.encode("ascii") + b"\n"
