"""Which engines live: each holds a lock file, which the kernel lets go when the process dies.

A lock tells more than a process id, which is reused, and means nothing in another container.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


class EngineLock:
    """This engine's sign of life, until it is released."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_hex(8)
        self._path = folder / f"{self.token}.lock"
        self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Tell that this engine is done."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        os.close(self._descriptor)


def somebody_lives(folder: Path) -> bool:
    """Whether any engine still runs."""
    return any(lives(folder, path.stem) for path in folder.glob("*.lock"))


def lives(folder: Path, token: str) -> bool:
    """Whether the engine of a token still runs; a dead one's lock file is removed."""
    path = folder / f"{token}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)
