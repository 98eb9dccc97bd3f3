"""The installation: Python, packages, plugins."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from sftrecipe.doctor.finding import Finding, fault, ok
from sftrecipe.errors import PluginError
from sftrecipe.plugin.base import CheckState
from sftrecipe.plugin.discovery import KINDS, plugins

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def check_installation() -> Iterator[Finding]:
    """Versions, packages that are missing, plugins that cannot be imported."""
    found: dict[str, str] = {}
    for requirement in requires("sftrecipe") or ():
        name = _NAME.match(requirement)
        if name is None or "extra ==" in requirement:
            continue
        try:
            found[name[0]] = version(name[0])
        except PackageNotFoundError:
            yield fault("installation", "", "doctor-package", "doctor-package", package=name[0])
    own = {"version": version("sftrecipe"), "python": platform.python_version()}
    yield ok(
        "installation", "", "doctor-installed", **own, system=platform.platform(), packages=found
    )


def check_plugins(state: CheckState) -> Iterator[Finding]:
    """Every plugin that is declared, imported; `state` is what one that cannot be means."""
    packages: set[str] = set()
    count = 0
    for kind in KINDS:
        try:
            declared = plugins(kind)
        except PluginError as error:
            yield Finding("plugin", kind, state, error.problem)
            continue
        for name, found in declared.items():
            try:
                found.load()
            except PluginError as error:
                yield Finding("plugin", name, state, error.problem)
            else:
                count += 1
                packages.add(found.package)
    shown = ", ".join(sorted(packages))
    yield ok("plugins", "", "doctor-plugins", count=count, packages=shown)
