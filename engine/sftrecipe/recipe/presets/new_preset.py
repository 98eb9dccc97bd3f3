"""Writing a new package that brings one preset, with its files and a test that validates it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from string import Template

from sftrecipe.errors import PluginError, UsageError
from sftrecipe.plugin.new_package import write_package
from sftrecipe.recipe.presets.preset_lookup import installed_preset

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 64


@dataclass(frozen=True)
class NewPreset:
    """What was written."""

    name: str
    folder: Path
    recipe: Path
    files: tuple[str, ...]
    """Relative to the folder."""


def new_preset(name: str, folder: Path | None = None) -> NewPreset:
    """Write a package with a preset of that name.

    Raises UsageError when the name is wrong or taken, or the folder holds something already.
    """
    _check_name(name)
    target = folder or Path(f"sftrecipe-{name}")
    files = dict(_files(name))
    write_package(target, files)
    recipe = next(path for path in files if path.endswith("recipe.yaml"))
    return NewPreset(name, target, target / recipe, tuple(files))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789") or "mine"
        raise UsageError("preset-name", "plugin-name-example", name=name, suggestion=near)
    try:
        taken = installed_preset(name)
    except PluginError as error:
        raise UsageError.of(error.problem) from error
    if taken is not None:
        raise UsageError("preset-name-taken", "other-name", name=name, source=taken.source)


def _files(name: str) -> Iterator[tuple[str, str]]:
    module = f"sftrecipe_{name.replace('-', '_')}"
    values = {
        "name": name,
        "module": module,
        "package": f"sftrecipe-{name}",
        "version": metadata.version("sftrecipe"),
    }
    preset = f"{module}/presets/{name}"
    written = resources.files("sftrecipe.recipe.presets") / "package_template"
    for template, path in (
        ("pyproject.toml", "pyproject.toml"),
        ("README.md", "README.md"),
        ("module.py", f"{module}/__init__.py"),
        ("recipe.yaml", f"{preset}/recipe.yaml"),
        ("answer.j2", f"{preset}/answer.j2"),
        ("questions.jsonl", f"{preset}/questions.jsonl"),
        ("test_preset.py", "tests/test_preset.py"),
    ):
        text = (written / f"{template}.template").read_text(encoding="utf-8")
        yield path, Template(text).safe_substitute(values)
