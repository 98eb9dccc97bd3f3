"""The files that a source's `path` stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sftrecipe.plugin import Context, PluginRefused, Texts, unusual_kind
from sftrecipe_registry.shared.files.file_contents import check_archive, is_document
from sftrecipe_registry.shared.files.packed_files import (
    DataFile,
    members,
    packing_of,
    plain_name,
    unpacked,
)
from sftrecipe_registry.shared.files.shard_sets import check_shards

texts = Texts(__package__)
_FIRST = 50
"""Files that are looked at before any of them is read."""
_NOT_DATA = "__MACOSX"

Check = Callable[[DataFile, str], None]
"""Refuses a file of that name (as the recipe says it) which a source does not read."""


class FileKind(NamedTuple):
    """The files that a source reads."""

    use: str
    """The source's name."""
    suffixes: Sequence[str]
    """How names end that it reads in a folder; what a recipe names may end otherwise."""
    check: Check | None = None
    unpacks: bool = True
    """Whether it reads no archives themselves; a workbook is one."""


def data_files(
    path: Path, shown: str, kind: FileKind, ctx: Context
) -> Iterator[tuple[DataFile, str]]:
    """The file itself, or a folder's files of these kinds in the order of their names, unpacked.

    Gives (file, path as the recipe says it). What else lies in the folder, or in an archive, is
    told; of folders and files whose names begin with a dot, those that have such an ending.
    Raises PluginRefused where there is no such file, one leads out of the folder, or parts of a
    set are missing.
    """
    if not path.is_dir():
        yield from _opened(path, shown, kind, ctx, [shown])
        return
    found = _in_folder(path, shown, kind, ctx)
    names = [name for _, name in found]
    files = (file for at, name in found for file in _opened(at, name, kind, ctx, names))
    ahead = list(islice(files, _FIRST))  # mistakes are told before rows are read
    if not ahead:
        raise _nothing(shown, kind)
    yield from ahead
    yield from files


def _opened(
    path: Path, shown: str, kind: FileKind, ctx: Context, names: Sequence[str]
) -> Iterator[tuple[DataFile, str]]:
    """A file, or an archive's, that the source reads; `names`: of all that it reads."""
    packing = packing_of(path)
    files: Iterable[tuple[DataFile, str]] = [(unpacked(path), shown)]
    if packing == "zip" and (
        kind.unpacks or not is_document(each.member for each in members(path))
    ):
        files = _members(path, shown, kind, ctx, names)
    for file, name in files:
        if kind.check is not None:
            kind.check(file, name)
        yield file, name


def _in_folder(path: Path, shown: str, kind: FileKind, ctx: Context) -> list[tuple[Path, str]]:
    root, folder = path.resolve(), shown.rstrip("/")
    every = [file for file in sorted(path.rglob("*")) if _is_file(file, shown, kind)]
    names = [file.relative_to(path) for file in every]
    read = [name for name in names if _is_read(name.name, kind) and not _is_hidden(name.parts)]
    for name in names:
        if name not in read and (_is_read(name.name, kind) or not _is_hidden(name.parts)):
            ctx.tell("passed_over", f"{folder}/{name.as_posix()}")
    if not read:
        raise _nothing(shown, kind)
    for name in read:
        if not (path / name).resolve().is_relative_to(root):
            raise PluginRefused(texts("leads-out", file=name.as_posix(), folder=shown))
    check_names([name.as_posix() for name in read], shown)
    return [(path / name, f"{folder}/{name.as_posix()}") for name in read]


def _nothing(shown: str, kind: FileKind) -> PluginRefused:
    return PluginRefused(texts("none-in-folder", folder=shown, suffixes=", ".join(kind.suffixes)))


def check_names(names: Sequence[str], shown: str) -> None:
    """Refuse parts of sets that are missing, and what lies there packed and plain.

    Raises PluginRefused.
    """
    check_shards(names, shown)
    seen: dict[str, str] = {}
    for name in names:
        plain = (PurePosixPath(name).parent / plain_name(name)).as_posix()
        if plain in seen:
            told = texts("twice-in-folder", folder=shown, first=seen[plain], second=name)
            raise PluginRefused(told)
        seen[plain] = name


def _members(
    path: Path, shown: str, kind: FileKind, ctx: Context, names: Sequence[str]
) -> Iterator[tuple[DataFile, str]]:
    """An archive's files of the kind; the only one of an archive alone, whatever its name."""
    alone = len(names) == 1
    every = members(path)
    check_archive(shown, [each.member for each in every], kind.use)
    every = [each for each in every if _NOT_DATA not in PurePosixPath(each.member).parts]
    seen = [each for each in every if not _is_hidden(PurePosixPath(each.member).parts)]
    read = [each for each in seen if each.suffix.lower() in kind.suffixes]
    read = read or (seen if alone and len(seen) == 1 else [])
    for each in every:
        if each not in read and (each in seen or each.suffix.lower() in kind.suffixes):
            ctx.tell("passed_over", f"{shown}/{each.member}")
    if alone and not read:
        suffixes = ", ".join(kind.suffixes)
        raise PluginRefused(texts("none-in-archive", archive=shown, suffixes=suffixes))
    check_names([each.member for each in read], shown)
    _check_unpacked(shown, [each.member for each in read], names)
    for each in read:
        yield each, f"{shown}/{each.member}"


def _check_unpacked(archive: str, packed: Sequence[str], names: Sequence[str]) -> None:
    """Refuse an archive beside what was unpacked from it. Raises PluginRefused."""
    others = [PurePosixPath(name) for name in names if name != archive]
    plain = {(other.parent / plain_name(other.name)).as_posix(): other for other in others}
    for folder in (PurePosixPath(archive).parent, PurePosixPath(archive).with_suffix("")):
        for member in packed:
            if other := plain.get((folder / member).as_posix()):
                told = texts("unpacked-beside", file=other, archive=archive, member=member)
                raise PluginRefused(told)


def _is_read(name: str, kind: FileKind) -> bool:
    path = PurePosixPath(name.lower())
    return PurePosixPath(plain_name(path.name)).suffix in kind.suffixes or path.suffix == ".zip"


def _is_hidden(parts: Sequence[str]) -> bool:
    """Whether it is of somebody's tools: Excel's `~$faq.xlsx` says that the file is open."""
    return any(
        (part.startswith((".", "~$")) and part != "..") or part == _NOT_DATA for part in parts
    )


def _is_file(path: Path, shown: str, kind: FileKind) -> bool:
    """Whether it is a file. Raises PluginRefused for what would be read and is none."""
    if path.is_file() or path.is_dir() or not path.exists() or not _is_read(path.name, kind):
        return path.is_file()
    text = texts("no-file", name=path.name, folder=shown, kind=unusual_kind(path))
    raise PluginRefused(text)
