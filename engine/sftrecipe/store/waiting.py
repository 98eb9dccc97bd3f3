"""Waiting for what another process holds: told within a second, and ended by Ctrl-C."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from sftrecipe.messages import message

if TYPE_CHECKING:
    import asyncio

_QUIET = 0.5
"""Seconds of waiting that nobody needs to know of."""
_PAUSE = 0.02


def _on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


TELL: ContextVar[Callable[[str], None]] = ContextVar("tell", default=_on_stderr)
"""Where it is told that a run waits."""
WORK: ContextVar[asyncio.Task[object] | None] = ContextVar("work", default=None)
"""The task that Ctrl-C cancels, which a wait in the middle of it would not hear."""


def wait_until(done: Callable[[], bool], path: Path, holder: Callable[[], str]) -> None:
    """Return when `done` says so; tell, where that takes long, that `path` is waited for.

    Raises asyncio.CancelledError when the run is interrupted meanwhile.
    """
    began, told = time.monotonic(), False
    while not done():
        work = WORK.get()
        if work is not None and work.cancelling():
            from asyncio import CancelledError  # noqa: PLC0415 - 35 ms; who can be cancelled has it

            raise CancelledError
        if not told and time.monotonic() - began > _QUIET:
            tell_waiting(path, holder())
            told = True
        time.sleep(_PAUSE)


def tell_waiting(path: Path, holder: str) -> None:
    """Say what is waited for, and who holds it."""
    TELL.get()(message("waiting-for", {"path": path, "holder": holder}))


def holder_of(path: Path) -> str:
    """Who holds a lock on a file or folder, as far as this system knows."""
    with suppress(OSError):
        about = path.stat()
        place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
        with open("/proc/locks", encoding="ascii") as locks:  # noqa: PTH123 - no file on a disk
            for line in locks:
                words = line.split()
                if place in words and words[1] != "->" and int(words[4]) not in (0, os.getpid()):
                    return message("process-here", {"pid": words[4], "host": platform.node()})
    return message("process-elsewhere", {})
