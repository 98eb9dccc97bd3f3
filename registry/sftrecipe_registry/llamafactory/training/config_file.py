"""The YAML of a training's arguments: as a recipe's run reads it, and as it is run by hand.

By hand a training goes into a folder of its own: by `output_dir`, which is a link to the kept model
of the recipe, it would write over that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from sftrecipe.plugin import KEPT

BY_HAND = ".by-hand"
"""What `output_dir` has more in the file than in the recipe."""


def written_config(
    command: str, given: Mapping[str, Any], added: Mapping[str, Any] | None = None
) -> bytes:
    """The file of a recipe's arguments and those that were added, one of which is `output_dir`.

    `command`: what runs it by hand, from its own folder.
    """
    more = {name: value for name, value in (added or {}).items() if name not in given}
    name = PurePosixPath(str(given.get("output_dir") or more.get("output_dir")))
    text = (
        f"# Written by sftrecipe; run it in this folder: {command}\n"
        f"# By hand it trains into {name}{BY_HAND}/; the recipe's own lie in {KEPT}/.\n"
    ) + _dumped(given)
    if more:
        text += f"# What the recipe does not say:\n{_dumped(more)}"
    return text.encode()


def read_settings(config: Path) -> dict[str, Any]:
    """The arguments of a written file, with the recipe's own `output_dir`."""
    settings: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    if "output_dir" in settings:
        name, slash = _parts(settings["output_dir"])
        settings["output_dir"] = name.removesuffix(BY_HAND) + slash
    return settings


def _dumped(settings: Mapping[str, Any]) -> str:
    shown = dict(settings)
    if given := settings.get("output_dir"):
        shown["output_dir"] = BY_HAND.join(_parts(given))
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True) if shown else ""


def _parts(folder: object) -> tuple[str, str]:
    """A folder's name, and the slash that it may end in: a training's key has it as it is."""
    name = str(folder).rstrip("/")
    return name, str(folder)[len(name) :]
