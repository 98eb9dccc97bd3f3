"""Where lies what comes along with sftrecipe beside its code: recipes, presets, schemas, docs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent


def installed_folder(name: Literal["recipes", "schemas", "docs"]) -> Path:
    """The folder of a name: in a clone the clone's own, else the one that the wheel brought."""
    brought = _PACKAGE / "data" / name
    return brought if brought.is_dir() else _PACKAGE.parents[1] / name
