"""Its own version, and those of what its results rest on, as `sftrecipe --version` tells them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from sftrecipe.plugin.environments import environment_of

_BESIDE = ("xllamacpp", "litellm")
"""Packages of the extras that answers come from."""
_TRAINER = "llamafactory"


def versions() -> Iterator[str]:
    """A line each."""
    yield f"sftrecipe {version('sftrecipe')}"
    yield f"Python {platform.python_version()}"
    for package in _BESIDE:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
    named = environment_of("SFTRECIPE_TRAIN_ENV")
    if named and (found := _trainer(Path(named).expanduser())):
        yield f"{_TRAINER} {found} in {named}"


def _trainer(environment: Path) -> str | None:
    """The trainer's version in an environment, or in that of a python; None: not there."""
    folder = environment if environment.is_dir() else environment.parent.parent
    places = [str(place) for place in folder.glob("lib/python3*/site-packages")]
    found = distributions(name=_TRAINER, path=[*places, str(folder / "Lib" / "site-packages")])
    return next((each.version for each in found), None)
