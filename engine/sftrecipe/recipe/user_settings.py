"""The user's own settings, whatever the recipe: which keys may go where, what was permitted."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: of two that write at once, the later one's setting stays
    fcntl = None  # type: ignore[assignment]

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


def add_settings(name: str, added: Mapping[str, Sequence[str]]) -> None:
    """Add values to those in a file of this name: what other processes add meanwhile stays."""
    file = settings_file(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(file.parent):
        known = read_settings(name)
        every = {
            key: list(dict.fromkeys((*known.get(key, ()), *added.get(key, ()))))
            for key in sorted({*known, *added})
        }
        if every != known:
            _write(file, every)


def _write(file: Path, settings: Mapping[str, Sequence[str]]) -> None:
    """Write the settings whole, in place of those before."""
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    new.replace(file)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that write settings there, where it has locks."""
    handle = os.open(folder, os.O_RDONLY) if fcntl is not None else None
    try:
        if handle is not None:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def settings_file(name: str) -> Path:
    """Where the settings of this name lie."""
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "sftrecipe" / name
