"""Files of a folder that appear whole or not at all, and never outside it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from sftrecipe.errors import FEW_HANDLES, SftrecipeError, limit_reached
from sftrecipe.store.lock_files import LOCKLESS, has_locks
from sftrecipe.store.waiting import holder_of, wait_until

try:
    import fcntl
except ImportError:  # Windows: leftovers of killed runs stay, and two runs are not kept apart
    fcntl = None  # type: ignore[assignment]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_LOCK = ".sftrecipe.lock"
UNWRITABLE = _FULL | _READ_ONLY
"""What the system says when it does not let anybody write."""
_FRESH_SECONDS = 60.0
"""A leftover younger than this may be a file that another run is just about to lock."""


@contextmanager
def create(folder: Path, name: str) -> Iterator[IO[bytes]]:
    """Open a file of the folder for writing; it appears, whole, when the block ends.

    Raises SftrecipeError when the name leaves the folder, the disk is full or the folder cannot
    be written. When the block raises, what stood there before stays.
    """
    target = inside(folder, name)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        file = _open_new(unfinished)
    try:
        # Around the file: what is still to be written is written again, and fails, when it closes.
        with explained(target, _FULL), file:
            yield file
            with explained(target):
                file.flush()
                os.fsync(file.fileno())
                if fcntl is None:  # Windows renames no open file; elsewhere the lock is kept
                    file.close()
                unfinished.replace(target)
                sync(target.parent)
    except BaseException:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            unfinished.unlink()
        raise


def inside(folder: Path, name: str) -> Path:
    """The path of a name in the folder.

    Raises SftrecipeError when it leads out of it: absolute, by `..` or through a symbolic link.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    target = folder.joinpath(*parts) if parts else folder
    outside = not parts or name.endswith("/") or ".." in parts or "\0" in name
    outside = outside or Path(name).is_absolute() or Path(name).drive != ""
    if outside or not _stays(folder, target.parent):
        raise SftrecipeError("file-outside", name=name, folder=str(folder))
    return target


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that ask for it in this way.

    The folder itself is locked, so that no lock file is left in it, where the file system can do
    that. Raises SftrecipeError where it has no locks.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            _lock(handle, folder)
        except OSError as error:  # NFS locks what is open for writing, and so no folder
            if error.errno not in LOCKLESS:
                raise
            os.close(handle)
            handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
            with has_locks(folder / _LOCK):
                _lock(handle, folder / _LOCK)
        yield
    finally:
        os.close(handle)


def who_locked(folder: Path) -> str | None:
    """Who holds a folder by `locked`, in the user's words; None where nobody does, or it is not
    known."""
    if fcntl is None or not folder.is_dir():
        return None
    place = folder / _LOCK if (folder / _LOCK).exists() else folder
    try:
        handle = os.open(place, os.O_RDONLY if place is folder else os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder_of(place)
    except OSError:
        return None
    else:
        return None
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    def is_done() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    wait_until(is_done, path, lambda: holder_of(path))


def _stays(folder: Path, parent: Path) -> bool:
    return parent.resolve() == folder.resolve().joinpath(*parent.relative_to(folder).parts)


def _open_new(path: Path) -> IO[bytes]:
    # Not mkstemp: its files are readable by their owner alone, and stay so when renamed.
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def _sweep(target: Path) -> None:
    """Remove what killed runs left of this file; what a live run is writing is locked."""
    if fcntl is None:
        return
    for leftover in target.parent.glob(f".{_literal(target.name)}.????????.tmp"):
        with suppress(OSError):
            status = leftover.lstat()
            if not stat.S_ISREG(status.st_mode) or time.time() - status.st_mtime < _FRESH_SECONDS:
                continue
            with leftover.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leftover.unlink()


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def refuse_few_handles() -> None:
    """Raises SftrecipeError where this process may open no further file: what failed is not at
    fault."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        if error.errno in FEW_HANDLES:
            raise SftrecipeError("few-handles", "few-handles") from error


@contextmanager
def explained(target: Path, codes: set[int] | None = None) -> Iterator[None]:
    """Turn a system's refusal to write `target` into the user's error; `codes`: only these."""
    try:
        yield
    except OSError as error:
        if limit := limit_reached(error):
            raise limit from error
        if codes is not None and error.errno not in codes:
            raise
        slug = "file-write"
        if error.errno in _FULL:
            slug = "disk-full"
        elif error.errno in _READ_ONLY:
            slug = "folder-read-only"
        reason = error.strerror or str(error)
        raise SftrecipeError(
            slug, path=str(target), folder=str(target.parent), error=reason
        ) from error
