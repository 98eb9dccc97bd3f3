"""Opening an input file: only what is a file, never what waits for a writer or does not end."""

from __future__ import annotations

import io
import os
import stat

from sftrecipe.messages import Word

_KINDS = (
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISDIR, "folder"),
)
# Of these the size is not what can be read, and reading one may tell what is nobody's business.
_OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")


_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):  # not all are of every system
    _FLAGS |= getattr(os, _name, 0)


class UnusualFile(OSError):
    """What is named is no file with a content of its own."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"it is a {kind}, not a file")
        self.strerror = f"it is a {kind}, not a file"
        self.kind = kind
        """`pipe`, `device`, `socket`, `folder`, `kernel file` or `special file`."""


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open an input file for reading. Raises UnusualFile, which is an OSError, and OSError.

    A pipe without a writer does not make it wait.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        if (kind := _unusual(os.fstat(descriptor), path)) is not None:
            raise UnusualFile(kind)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def unusual_kind(path: str | os.PathLike[str]) -> Word | None:
    """What a path leads to that is neither a file nor a folder, as a message's value; None where
    it is one of them.

    Opens nothing. Raises OSError.
    """
    kind = _kind_of(path)
    return Word(f"a-{kind}") if kind else None


def refuse_unusual(path: str | os.PathLike[str]) -> None:
    """Raise UnusualFile for what is neither a file nor a folder.

    Opens nothing. Raises OSError.
    """
    if (kind := _kind_of(path)) is not None:
        raise UnusualFile(kind)


def _kind_of(path: str | os.PathLike[str]) -> str | None:
    about = os.stat(path)  # noqa: PTH116 - paths may be plain texts
    return None if stat.S_ISDIR(about.st_mode) else _unusual(about, path)


def _unusual(about: os.stat_result, path: str | os.PathLike[str]) -> str | None:
    if stat.S_ISREG(about.st_mode):
        real = os.fspath(os.path.realpath(path))
        # /dev/shm is a folder of ordinary files.
        is_file = not real.startswith(_OF_THE_KERNEL) or real.startswith("/dev/shm/")  # noqa: S108
        return None if is_file else "kernel file"
    return next((kind for is_kind, kind in _KINDS if is_kind(about.st_mode)), "special file")
