"""The files that a source's `path` stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sftrecipe import PluginRefused
from sftrecipe.plugin.regular_files import unusual_kind


def data_files(path: Path, shown: str, suffixes: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """The file itself, or a folder's files of these kinds in the order of their names.

    Gives (path, path as the recipe says it). Folders and files whose names begin with a dot are
    passed over. Raises PluginRefused where there is no such file, or one leads out of the folder.
    """
    if not path.is_dir():
        yield path, shown
        return
    root = path.resolve()
    files = [file for file in path.rglob("*") if file.suffix.lower() in suffixes]
    names = sorted(file.relative_to(path) for file in files if _is_file(file, shown))
    names = [name for name in names if not any(part.startswith(".") for part in name.parts)]
    if not names:
        raise PluginRefused(f"folder '{shown}' has no file of the kind {', '.join(suffixes)}")
    for name in names:
        if not (path / name).resolve().is_relative_to(root):
            raise PluginRefused(f"file '{name.as_posix()}' leads out of the folder '{shown}'")
    for name in names:
        yield path / name, f"{shown.rstrip('/')}/{name.as_posix()}"


def _is_file(path: Path, shown: str) -> bool:
    """Whether it is a file. Raises PluginRefused where it is neither that nor a folder."""
    if path.is_file() or path.is_dir() or not path.exists():
        return path.is_file()
    raise PluginRefused(f"'{path.name}' of folder '{shown}' is a {unusual_kind(path)}, not a file")
