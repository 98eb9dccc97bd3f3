"""The user's own settings, whatever the recipe: which keys may go where, what was permitted."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

ALLOWED_KEYS = "allowed_keys.json"
"""Hosts by the environment variables whose keys may go there."""
ALLOWED_WORDS = "allowed.json"
"""Words of permissions by the recipe's file."""


def read_settings(name: str) -> dict[str, list[str]]:
    """The settings in a file of this name; empty where it cannot be read."""
    try:
        written = json.loads(settings_file(name).read_text(encoding="utf-8"))
        return {str(key): [str(each) for each in allowed] for key, allowed in written.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write_settings(name: str, settings: Mapping[str, Sequence[str]]) -> None:
    """Write the settings whole, in place of those before."""
    file = settings_file(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(file)


def settings_file(name: str) -> Path:
    """Where the settings of this name lie."""
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "sftrecipe" / name
