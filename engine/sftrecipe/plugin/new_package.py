"""Writing a new package with one working plugin, its test and its packaging."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from string import Template

from sftrecipe.errors import UsageError
from sftrecipe.plugin.discovery import known_kind, plugins

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class NewPackage:
    """What was written."""

    kind: str
    name: str
    folder: Path
    files: tuple[str, ...]
    """Relative to the folder."""


def new_package(kind: str, name: str, folder: Path | None = None) -> NewPackage:
    """Write a package with a plugin of that kind and name.

    Raises UsageError when the kind or name is wrong, or the folder holds something already.
    """
    kind = known_kind(kind)
    _check_name(kind, name)
    target = folder or Path(f"sftrecipe-{name.replace('_', '-')}")
    files = dict(_files(kind, name))
    write_package(target, files)
    return NewPackage(kind, name, target, tuple(files))


def write_package(folder: Path, files: Mapping[str, str]) -> None:
    """Write a package's files, by their paths in its folder.

    Raises UsageError when the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("folder-not-empty", "other-folder", folder=str(folder))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789") or "shorten"
        raise UsageError("plugin-name", "plugin-name-example", name=name, suggestion=near)
    taken = plugins(kind).get(name)
    if taken:
        raise UsageError(
            "plugin-name-taken", "other-name", kind=kind, name=name, package=taken.package
        )


def _files(kind: str, name: str) -> Iterator[tuple[str, str]]:
    values = {
        "kind": kind,
        "name": name,
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "module": f"sftrecipe_{name}",
        "package": f"sftrecipe-{name.replace('_', '-')}",
        "version": metadata.version("sftrecipe"),
    }
    for template, path in (
        ("pyproject.toml", "pyproject.toml"),
        ("README.md", "README.md"),
        (f"{kind}.py", f"{values['module']}/__init__.py"),
        (f"test_{kind}.py", f"tests/test_{name}.py"),
    ):
        source = resources.files("sftrecipe.plugin") / "package_template" / f"{template}.template"
        yield path, Template(source.read_text(encoding="utf-8")).substitute(values)
