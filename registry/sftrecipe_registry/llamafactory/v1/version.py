"""Whether the training environment trains by LLaMA-Factory's v1."""

from __future__ import annotations

import os
from pathlib import Path

from sftrecipe_registry.llamafactory.training.environment import training_site_packages

SWITCH = "USE_V1"
"""LLaMA-Factory's own variable: versions below 1 carry v1 beside what they are."""
_SWITCHED_ON = ("true", "y", "1")


def speaks_v1() -> bool:
    """Whether trainings are v1's: the environment's version is 1 or later, or the user's `USE_V1`
    says so."""
    if os.environ.get(SWITCH, "").lower() in _SWITCHED_ON:
        return True
    folder = training_site_packages()
    return folder is not None and _major(folder) >= 1


def v1_folder(site_packages: Path) -> Path | None:
    """Where v1's sources lie; None: this LLaMA-Factory carries none."""
    # Not at the top: the reader parses Python.
    from sftrecipe_registry.llamafactory.arguments.sources import package_folder  # noqa: PLC0415

    package = package_folder(site_packages, "llamafactory")
    places = [] if package is None else [package / "v1", package]
    return next((place for place in places if (place / "config" / "model_args.py").exists()), None)


def _major(site_packages: Path) -> int:
    for folder in site_packages.glob("llamafactory-*.dist-info"):
        major = folder.name.removeprefix("llamafactory-").partition(".")[0]
        if major.isdecimal():
            return int(major)
    return 0
