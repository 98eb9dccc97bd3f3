"""Packages that a plugin needs beside sftrecipe's own, for `doctor`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from sftrecipe.plugin import MachineCheck, Texts

texts = Texts(__package__)


def package_check(module: str, package: str, command: str) -> MachineCheck:
    """Whether a package is installed, without importing it; else the command that installs it."""
    if find_spec(module) is None:
        return MachineCheck("fault", texts("package-missing", package=package), command)
    try:
        return MachineCheck("ok", f"{package} {version(package)}")
    except PackageNotFoundError:  # a module without metadata works all the same
        return MachineCheck("ok", package)
