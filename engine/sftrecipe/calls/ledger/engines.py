"""Which engines live: each holds a lock file, whatever container or host it works on."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from sftrecipe.store.lock_files import LockFile, holder, is_held
from sftrecipe.store.waiting import tell_waiting

_QUIET = 0.4
"""Seconds of waiting that nobody needs to know of."""


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


class Awaited:
    """Engines whose calls this one waits for: each is told of once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def waits_for(self, token: str, ledger: Path) -> None:
        """Note that this engine waits for the engine of a token; tell of it where that lasts."""
        began = self._since.setdefault(token, time.monotonic())
        if token not in self._told and time.monotonic() - began > _QUIET:
            self._told.add(token)
            tell_waiting(ledger, holder(self._folder / f"{token}.lock"))
