"""A pin: what was found when it was last written down, and what it means that it is so no longer.

`SFTRECIPE_PIN=1 pytest tests/pins` writes all pins anew, for a change that means it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_ANEW = """
If this is meant: `SFTRECIPE_PIN=1 pytest -n 0 tests/pins`, commit the file with the change, and
tell in CHANGELOG.md what users pay for it. If it is not: the change has to leave it as it was."""


def hold(name: str, found: dict[str, Any], meaning: str) -> None:
    """Hold what was found, by name, to the pin; `meaning` says what a difference is to a user."""
    file = HERE / f"{name}.json"
    pinned = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if os.environ.get("SFTRECIPE_PIN"):
        _write(file, pinned | found)
        return
    differing = [line for part in found for line in _differing(part, pinned.get(part), found[part])]
    assert not differing, "\n".join([meaning, *differing[:20], _ANEW])


def hold_names(name: str, kept: set[str]) -> None:
    """Hold a pin to these names; where it is written anew, what is gone goes."""
    file = HERE / f"{name}.json"
    pinned = json.loads(file.read_text(encoding="utf-8"))
    if os.environ.get("SFTRECIPE_PIN"):
        _write(file, {part: pinned[part] for part in pinned if part in kept})
        return
    assert set(pinned) == kept


def _write(file: Path, pinned: dict[str, Any]) -> None:
    text = json.dumps(dict(sorted(pinned.items())), ensure_ascii=False, indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")


def _differing(part: str, pinned: Any, found: Any) -> list[str]:
    if pinned == found:
        return []
    if not (isinstance(pinned, dict) and isinstance(found, dict)):
        return [f"  {part}: was {pinned}, is {found}"]
    lines: list[str] = []
    for name in [*found, *(name for name in pinned if name not in found)]:
        lines += _differing(f"{part} {name}", pinned.get(name), found.get(name))
    return lines
