"""What a wheel brings along beside its packages: the recipes with their presets, schemas, docs.

A build hook, since hatchling's own mapping would lay a copy into editable installs too, which would
be read long after its originals have changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BROUGHT = ("recipes", "schemas", "docs", "README.md", "README.zh.md", "CHANGELOG.md")
_NOT_OURS = frozenset({"runs", "decisions", "__pycache__"})
"""What running recipes leaves, and what only its developers read."""


class WheelData(BuildHookInterface[Any]):
    """Maps the folders into `sftrecipe/data`, where `sftrecipe.installed_files` finds them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them to a wheel that is no editable one."""
        if version == "editable":
            return
        root = Path(self.root)
        for name in BROUGHT:
            for file in (root / name, *(root / name).rglob("*")):
                inside = file.relative_to(root)
                if file.is_file() and _is_ours(inside):
                    build_data["force_include"][str(file)] = f"sftrecipe/data/{inside.as_posix()}"


def _is_ours(path: Path) -> bool:
    return not any(part.startswith(".") or part in _NOT_OURS for part in path.parts)
