"""Which engines live: each holds a lock file, whatever container or host it works on."""

from __future__ import annotations

import secrets
from pathlib import Path

from sftrecipe.store.lock_files import LockFile, is_held


class EngineLock:
    """This engine's sign of life, until it is released."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_hex(8)
        self._lock = LockFile(folder / f"{self.token}.lock")

    def release(self) -> None:
        """Tell that this engine is done."""
        self._lock.release()


def somebody_lives(folder: Path) -> bool:
    """Whether any engine still runs."""
    return any(is_held(path) for path in folder.glob("*.lock"))


def lives(folder: Path, token: str) -> bool:
    """Whether the engine of a token still runs; a dead one's lock file is removed."""
    return is_held(folder / f"{token}.lock")
