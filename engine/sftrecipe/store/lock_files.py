"""Lock files: a sign of life that the kernel takes back when a process dies.

A lock tells more than a process id, which is reused, and means nothing in another container or on
another host.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message

try:
    import fcntl
except ImportError:  # Windows: nobody is told apart, and nothing is taken for left behind
    fcntl = None  # type: ignore[assignment]

LOCKLESS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EBADF}
"""What a file system says that has no locks."""
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class LockFile:
    """A new file that this process holds until it is released; it says who that is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = _made(path)
        try:
            os.write(self._descriptor, f"{os.getpid()} {platform.node()}".encode())
        except BaseException:  # a full disk: held on, it would be waited for forever
            self.release()
            raise

    def release(self) -> None:
        """Take the file away, and the lock with it."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self._descriptor)


def holder(path: Path) -> str:
    """Who holds a lock file, in the user's words."""
    try:
        process, _, host = path.read_text("utf-8").partition(" ")
    except OSError:
        process = host = ""
    if not process:
        return message("process-elsewhere", {})
    return message("process-here", {"pid": process, "host": host})


def is_held(path: Path) -> bool:
    """Whether a process that lives holds the lock file; one that nobody holds is removed where
    this process may."""
    with left_behind(path) as nobody_holds:
        return not nobody_holds


@contextlib.contextmanager
def left_behind(path: Path) -> Iterator[bool]:
    """Whether no process that lives holds the lock file, nor takes it until the block ends: whoever
    is about to waits. It is removed then, where this process may."""
    if fcntl is None:
        yield not path.exists()
        return
    try:
        descriptor = _opened(path)
    except FileNotFoundError:
        yield True
        return
    try:
        try:
            with has_locks(path):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
        with contextlib.suppress(OSError):
            path.unlink()
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def has_locks(path: Path) -> Iterator[None]:
    """Tell of a file system without locks. Raises SftrecipeError."""
    try:
        yield
    except OSError as error:
        if error.errno not in LOCKLESS:
            raise
        reason = error.strerror or str(error)
        raise SftrecipeError(
            "no-locks", "no-locks", folder=str(path.parent), error=reason
        ) from error


def _opened(path: Path) -> int:
    """The file's descriptor, for reading alone where it may not be written."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _made(path: Path) -> int:
    """The held file's descriptor."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            if fcntl is None:
                return descriptor
            with has_locks(path):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _lies_there(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # somebody took it for one left behind, in the moment before


def _lies_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
