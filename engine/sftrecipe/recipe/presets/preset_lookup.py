"""Finding a preset by the name, path or address that `extends` gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from sftrecipe.errors import PluginError
from sftrecipe.installed_files import installed_folder
from sftrecipe.installed_packages import declared
from sftrecipe.recipe.presets.preset import NAME, PRESETS, Preset, preset_file, presets_in
from sftrecipe.recipe.project_marks import CLONE, PROJECT_MARKS

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class PresetLookup(NamedTuple):
    """The presets that are there under their names, and what is wrong with some."""

    presets: dict[str, Preset]
    problems: list[PluginError]


def project_shelves(folder: Path) -> Iterator[Path]:
    """Folders of presets of the project that a recipe's folder belongs to, nearest first."""
    yield folder / PRESETS
    for up in _up_to_the_top(folder):
        yield up / "recipes" / PRESETS


def _up_to_the_top(folder: Path) -> Iterator[Path]:
    """The folder and those above it that are the project's: what lies above is a stranger's, as
    `/tmp/recipes` may be. A project in a git clone shares the clone's."""
    ups = [folder, *folder.parents]
    top = next((up for up in ups if (up / CLONE).exists()), None)
    top = top or next(
        (up for up in ups if any((up / mark).exists() for mark in PROJECT_MARKS)), None
    )
    top = top or next((up.parent for up in ups if up.name == "recipes"), folder)
    return iter(ups[: ups.index(top) + 1])


def project_preset(name: str, folder: Path) -> Preset | None:
    """A preset of the project that a recipe's folder belongs to."""
    files = (preset_file(shelf, name) for shelf in project_shelves(folder))
    file = next((each for each in files if each is not None), None)
    return None if file is None else Preset(name, file, "folder")


def installed_preset(name: str) -> Preset | None:
    """A preset that comes with sftrecipe or with another package.

    Raises PluginError where two have the name, or the package's is not there.
    """
    found = list(_named(name))
    if len(found) > 1:
        first, second = found[0].source, found[1].source
        raise PluginError("preset-duplicate", name=name, first=first, second=second)
    return found[0] if found else None


def installed_presets() -> PresetLookup:
    """All of them, by name."""
    names = {each.name for each in _wheel()} | {entry.name for entry in declared(PRESETS)}
    found: dict[str, Preset] = {}
    problems = []
    for name in sorted(names):
        try:
            preset = installed_preset(name)
        except PluginError as error:
            problems.append(error)
            continue
        if preset is not None:
            found[name] = preset
    return PresetLookup(found, problems)


def project_presets(folder: Path) -> dict[str, Preset]:
    """All presets of a project, by name."""
    found: dict[str, Preset] = {}
    for shelf in project_shelves(folder):
        for preset in presets_in(shelf, "folder"):
            found.setdefault(preset.name, preset)
    return found


def known_names(folder: Path) -> list[str]:
    """Names that a recipe in a folder may extend."""
    return sorted(project_presets(folder).keys() | installed_presets().presets.keys())


def _named(name: str) -> Iterator[Preset]:
    yield from (each for each in _wheel() if each.name == name)
    seen = set()
    for entry in declared(PRESETS):
        if entry.name == name and entry.value not in seen:
            seen.add(entry.value)
            yield _of_package(entry)


def _of_package(entry: EntryPoint) -> Preset:
    """Raises PluginError."""
    distribution = entry.dist
    source = f"{distribution.name} {distribution.version}" if distribution else entry.value
    shelf = _package_folder(entry.value) if NAME.fullmatch(entry.name) else None
    file = preset_file(shelf, entry.name) if shelf else None
    if file is None:
        values = {"name": entry.name, "package": source, "value": entry.value}
        raise PluginError("preset-not-in-package", **values)
    return Preset(entry.name, file, "package", source)


def _package_folder(value: str) -> Path | None:
    """The folder of a package or of one below it, none of them imported."""
    if not _MODULE.fullmatch(value):
        return None
    top, *below = value.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place).joinpath(*below)
        if folder.is_dir():
            return folder
    return None


@cache
def _wheel() -> tuple[Preset, ...]:
    shelf = installed_folder("recipes") / PRESETS
    return tuple(presets_in(shelf, "wheel", f"sftrecipe {version('sftrecipe')}"))
