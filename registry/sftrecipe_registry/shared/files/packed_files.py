"""Files as readers open them: what is packed (gz, bz2, xz, zst, zip) is inflated on the way."""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from sftrecipe.plugin import PluginRefused, Texts, open_regular
from sftrecipe_registry.shared.files.inflation import LARGEST, RATIO, too_large

texts = Texts(__package__)
PACKINGS = {
    ".gz": "gz",
    ".gzip": "gz",
    ".bz2": "bz2",
    ".xz": "xz",
    ".zst": "zst",
    ".zstd": "zst",
    ".zip": "zip",
}
_MARKS = (
    (b"\x1f\x8b\x08", "gz"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"\x50\x2a\x4d\x18", "zst"),  # a skippable frame, with which pzstd begins
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
_BZ2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", re.DOTALL)
HEAD = 4096
_PIECE = 512 * 1024
_WINDOW = 2 * 1024 * 1024
"""Bytes that a reader may go back."""


@dataclass(frozen=True)
class Packed:
    """A file inside a packed one; has of a `Path` what readers ask: `name`, `suffix`."""

    path: Path
    packing: str
    name: str
    """Its own, without what tells the packing."""
    member: str = ""
    """Its name in a zip archive."""
    size: int = 0
    """Bytes that it takes there; of the others the whole file's count."""

    @property
    def suffix(self) -> str:
        """What its own name ends with."""
        return PurePosixPath(self.name).suffix

    def open(self) -> IO[bytes]:
        """The content. Raises OSError; while it is read, PluginRefused where it is damaged."""
        return io.BufferedReader(_Inflated(self), 64 * 1024)


DataFile = Path | Packed


def open_data(file: DataFile) -> IO[bytes]:
    """A file's content, inflated where it is packed. Raises OSError."""
    return file.open() if isinstance(file, Packed) else open_regular(file)


@contextmanager
def on_disk(file: DataFile) -> Iterator[Path]:
    """A file to read at any place: a packed one as a copy that goes when the block ends."""
    if isinstance(file, Path):
        yield file
        return
    with TemporaryDirectory(prefix="sftrecipe-") as folder:
        path = Path(folder) / PurePosixPath(file.name).name
        with file.open() as packed, path.open("wb") as copy:
            while piece := packed.read(1024 * 1024):
                copy.write(piece)
        yield path


def packing_of(path: Path) -> str | None:
    """How a file is packed, by its first bytes. Raises OSError."""
    with open_regular(path) as file:
        return packing_mark(file.read(16))


def packing_mark(head: bytes) -> str | None:
    """How what begins so is packed."""
    if _BZ2.match(head):  # a text may begin with its first letters
        return "bz2"
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def plain_name(name: str) -> str:
    """A file's name without the ending that tells how it is packed."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in PACKINGS else path.name


def unpacked(path: Path) -> DataFile:
    """The file itself, or what is packed in it; of an archive itself. Raises OSError."""
    packing = packing_of(path)
    return path if packing in (None, "zip") else Packed(path, packing or "", plain_name(path.name))


def members(path: Path) -> list[Packed]:
    """The files in a zip archive by their names. Raises PluginRefused, OSError."""
    import zipfile  # noqa: PLC0415 - only where there is an archive

    with _told(path.name), open_regular(path) as file, zipfile.ZipFile(file) as archive:
        found = sorted(archive.infolist(), key=lambda each: each.filename)
    found = [each for each in found if not each.is_dir()]
    total, most = sum(each.file_size for each in found), _most(path.stat().st_size)
    if total > most:
        raise too_large(path.name, path.stat().st_size, total)
    return [
        Packed(path, "zip", PurePosixPath(each.filename).name, each.filename, each.compress_size)
        for each in found
    ]


class _Inflated(io.RawIOBase):
    """A packed file's content; goes back within a window, or to the beginning."""

    def __init__(self, packed: Packed) -> None:
        super().__init__()
        self._packed = packed
        self._size = packed.size or packed.path.stat().st_size
        self._begin()

    def _begin(self) -> None:
        with _told(self._packed.name):
            self._file = open_regular(self._packed.path)
            self._stream = _STREAMS[self._packed.packing](self._file, self._packed.member)
        self._held, self._end = b"", 0
        """The last bytes that came out, and how many did in all."""
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = offset + (self._at if whence == os.SEEK_CUR else 0)
        if place < self._end - len(self._held):
            self._file.close()
            self._begin()
        while place > self._end and self._more():
            pass
        self._at = min(place, self._end)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at == self._end and not self._more():
            return 0
        start = len(self._held) - (self._end - self._at)
        piece = self._held[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _more(self) -> int:
        """Inflate a piece further. Raises PluginRefused where it is damaged, or far too large."""
        with _told(self._packed.name):
            piece: bytes = self._stream.read(_PIECE)
        self._end += len(piece)
        if self._end > _most(self._size):
            raise too_large(self._packed.name, self._size, self._end)
        self._held = (self._held + piece)[-_WINDOW:]
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            with suppress(Exception):
                self._stream.close()
            self._file.close()
        super().close()


def _gz(file: IO[bytes], _: str) -> Any:
    import gzip  # noqa: PLC0415 - each only where such a file is read

    return gzip.GzipFile(fileobj=file)


def _bz2(file: IO[bytes], _: str) -> Any:
    import bz2  # noqa: PLC0415

    return bz2.BZ2File(file)


def _xz(file: IO[bytes], _: str) -> Any:
    import lzma  # noqa: PLC0415

    return lzma.LZMAFile(file, format=lzma.FORMAT_XZ)


def _zst(file: IO[bytes], _: str) -> Any:
    import pyarrow  # noqa: PLC0415 - a dependency that knows it; Python before 3.14 does not

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(file, "r"), "zstd")


def _zip(file: IO[bytes], member: str) -> Any:
    import zipfile  # noqa: PLC0415

    return zipfile.ZipFile(file).open(member)


_STREAMS: dict[str, Callable[[IO[bytes], str], Any]] = {
    "gz": _gz,
    "bz2": _bz2,
    "xz": _xz,
    "zst": _zst,
    "zip": _zip,
}


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what a packed file's reader finds wrong. Raises PluginRefused."""
    try:
        yield
    except PluginRefused:
        raise
    except EOFError as error:
        raise PluginRefused(texts("ends-early", file=name)) from error
    except (NotImplementedError, RuntimeError) as error:  # a method or password of zip archives
        raise PluginRefused(texts("not-unpacked", file=name, error=error)) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if not isinstance(error, (OSError, zlib.error, ValueError)) and not _of_packing(error):
            raise
        raise PluginRefused(texts("damaged", file=name, error=error)) from error


def _of_packing(error: Exception) -> bool:
    """Whether it is an error of `lzma` or `zipfile`, which need not be imported."""
    return type(error).__name__ in ("LZMAError", "BadZipFile")


def _most(size: int) -> int:
    return max(LARGEST, RATIO * size)
