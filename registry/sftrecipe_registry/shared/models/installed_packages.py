"""Packages that a plugin needs beside sftrecipe's own."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from sftrecipe.plugin import MachineCheck, Texts

texts = Texts(__package__)


def package_check(module: str, package: str, command: str) -> MachineCheck:
    """Whether a package is installed, without importing it; else the command that installs it."""
    if find_spec(module) is None:
        return MachineCheck("fault", texts("package-missing", package=package), command)
    found = package_version(package)  # a module without metadata works all the same
    return MachineCheck("ok", f"{package} {found}" if found else package)


def package_version(package: str) -> str | None:
    """The version of a package; None: it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
