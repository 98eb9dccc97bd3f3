"""This machine: the installation, the folders that a run writes to, the ledger of the project."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from sftrecipe.calls.ledger.database import ledger_health
from sftrecipe.doctor.doctor_finding import DoctorFinding, fault, ok, raised, warning
from sftrecipe.errors import PluginError, Problem, SftrecipeError
from sftrecipe.installed_packages import declarations
from sftrecipe.plugin.base import CheckState
from sftrecipe.plugin.discovery import KINDS, plugins
from sftrecipe.plugin.environments import install_command
from sftrecipe.plugin.plugin_kinds import Source
from sftrecipe.recipe.recipe import CheckedRecipe

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def check_installation() -> Iterator[DoctorFinding]:
    """Versions, packages that are missing, plugins that cannot be imported."""
    found: dict[str, str] = {}
    for requirement in requires("sftrecipe") or ():
        name = _NAME.match(requirement)
        if name is None or "extra ==" in requirement:
            continue
        try:
            found[name[0]] = version(name[0])
        except PackageNotFoundError:
            values = {"package": name[0], "command": install_command()}
            yield fault("installation", "", "doctor-package", "doctor-package", **values)
    own = {"version": version("sftrecipe"), "python": platform.python_version()}
    yield ok(
        "installation", "", "doctor-installed", **own, system=platform.platform(), packages=found
    )


def check_plugins(state: CheckState) -> Iterator[DoctorFinding]:
    """Every plugin that is declared, imported; `state` is what one that cannot be means."""
    packages: set[str] = set()
    count = 0
    for kind in KINDS:
        try:
            declared = plugins(kind)
        except PluginError as error:
            yield DoctorFinding("plugin", kind, state, error.problem)
            continue
        for name, found in declared.items():
            try:
                found.load()
            except PluginError as error:
                yield DoctorFinding("plugin", name, state, error.problem)
            else:
                count += 1
                packages.add(found.package)
    for package in declarations().unreadable:
        problem = Problem("package-unreadable", None, {"package": package}, "package-anew")
        yield DoctorFinding("plugin", package, state, problem)
    shown = ", ".join(sorted(packages))
    yield ok("plugins", "", "doctor-plugins", count=count, packages=shown)


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


def check_folders(folders: Iterable[Path], needed: int) -> Iterator[DoctorFinding]:
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


def check_ledger(path: Path) -> Iterator[DoctorFinding]:
    """Whether it opens and is sound, and what engines that died have left."""
    shown = str(path)
    try:
        health = ledger_health(path)
    except SftrecipeError as error:
        yield raised("ledger", "", error)
        return
    if health is None:
        yield ok("ledger", "", "doctor-no-ledger", path=shown)
        return
    facts = {
        "path": shown,
        "calls": health.calls,
        "size": size(health.bytes),
        "version": health.version,
    }
    slug = "doctor-ledger" if health.read_through else "doctor-ledger-large"
    yield ok("ledger", "", slug, **facts, in_flight=health.in_flight)
    if health.lost:
        hint = "doctor-ledger-lost"
        yield warning("ledger", "", "doctor-ledger-lost", hint, count=health.lost)
    if health.left:
        yield ok("ledger", "", "doctor-ledger-left", count=health.left)
