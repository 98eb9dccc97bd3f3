"""One maker of an environment, or of a model, at a time, whatever became of the one before.

The lock lies on the mark of what is unfinished, and is handed to the installer: where the maker is
killed, that goes on writing for a while, and nobody may begin anew before it has ended.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LOOK = 0.5
"""Seconds between two looks at a lock that another holds."""


@contextmanager
def locked_mark(mark: Path, waits: Callable[[], None]) -> Iterator[int]:
    """Hold the mark, made where it is not there; gives what a child must inherit to hold it too.

    `waits` is called once where another holds it. Raises OSError.
    """
    while True:
        held = os.open(mark, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(held, waits)
            if _is_there_still(held, mark):
                yield held
                return
        finally:
            os.close(held)


def _lock(held: int, waits: Callable[[], None]) -> None:
    if sys.platform == "win32":
        return  # nothing to lock with there
    import fcntl  # noqa: PLC0415 - not on Windows

    told = False
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                waits()
                told = True
            time.sleep(_LOOK)
        else:
            return


def _is_there_still(held: int, mark: Path) -> bool:
    """Whether the mark was not taken away by who held it before, its work done."""
    try:
        return os.path.samestat(os.fstat(held), mark.stat())
    except FileNotFoundError:
        return False
