"""Whether runs are at work in a project: they share a lock, who clears away holds it alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sftrecipe.store.lock_files import has_locks
from sftrecipe.store.waiting import holder_of, wait_until

try:
    import fcntl
except ImportError:  # Windows: runs are not seen
    fcntl = None  # type: ignore[assignment]


@contextmanager
def run_at_work(path: Path) -> Iterator[None]:
    """Hold the lock beside other runs for as long as the block lasts; waits for who holds it alone.

    Raises SftrecipeError where the file system has no locks.
    """
    if fcntl is None:
        yield
        return
    with _opened(path) as handle:
        wait_until(lambda: _is_held(handle, path, fcntl.LOCK_SH), path, lambda: holder_of(path))
        yield


@contextmanager
def no_run_at_work(path: Path) -> Iterator[bool]:
    """Hold the lock alone for as long as the block lasts; False where a run is at work."""
    if fcntl is None:
        yield True
        return
    with _opened(path) as handle:
        yield _is_held(handle, path, fcntl.LOCK_EX)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _is_held(handle: int, path: Path, kind: int) -> bool:
    try:
        with has_locks(path):
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
