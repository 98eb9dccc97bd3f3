"""Text files as UTF-8 lines and chunks, whatever their encoding, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import partial
from typing import IO, Annotated

from pydantic import AfterValidator

from sftrecipe.plugin import Texts
from sftrecipe_registry.shared.files.encoding_guess import guess, wide_encoding
from sftrecipe_registry.shared.files.packed_files import DataFile, open_data

texts = Texts(__package__)
LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of a line that are held at most; what is longer comes in pieces of that size."""
SAMPLE = 256 * 1024
UNDECODABLE = b"\xff"
"""Stands in a line that cannot be decoded; no UTF-8 has it."""

_WIDE = ("utf-16", "utf-32")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _known(name: str) -> str:
    if name != "auto":
        try:
            codecs.lookup(name)
            "".encode(name)
        except LookupError as error:
            raise ValueError(texts("no-encoding", name=name)) from error
    return name


Encoding = Annotated[str, AfterValidator(_known)]
"""`auto`, or a name that Python knows: utf-8, gb18030, big5, utf-16 …"""


def utf8_lines(path: DataFile, encoding: str = "auto") -> Iterator[bytes]:
    """The lines of a file in UTF-8, line ends included, without a byte order mark.

    A line that cannot be decoded has the byte 0xFF in it. Raises OSError.
    """
    with open_data(path) as file:
        name, skip = _opening(file, encoding)
        file.seek(skip)
        if name.startswith(_WIDE):
            yield from _wide_lines(file, name)
        elif name == "utf-8":
            yield from _byte_lines(file)
        elif name != "auto":
            yield from _other_lines(file, name)
        else:
            yield from _guessed_lines(file)


def utf8_chunks(path: DataFile, encoding: str = "auto", size: int = 1024 * 1024) -> Iterator[bytes]:
    """The content of a file in UTF-8, in pieces of some `size`, cut anywhere. Raises OSError."""
    with open_data(path) as file:
        name, skip = _opening(file, encoding)
        file.seek(skip)
        if name == "auto":
            while (chunk := file.read(size)).isascii() and chunk:
                yield chunk
            if not chunk:
                return
            name = _guessed(chunk, file)
            file.seek(-len(chunk), 1)
        if name == "utf-8":
            yield from iter(partial(file.read, size), b"")
            return
        wide = name.startswith(_WIDE)
        lines = _wide_lines(file, name) if wide else _other_lines(file, name)
        yield from _joined(lines, size)


def _joined(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    held: list[bytes] = []
    length = 0
    for line in lines:
        held.append(line)
        length += len(line)
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    yield b"".join(held)


def whole_text(path: DataFile, encoding: str = "auto") -> str:
    """All text of a file. Raises UnicodeDecodeError, OSError."""
    return b"".join(utf8_lines(path, encoding)).decode()


def _opening(file: IO[bytes], encoding: str) -> tuple[str, int]:
    """The encoding as far as the first bytes tell it, and the length of the byte order mark."""
    head = file.read(4096)
    wanted = codecs.lookup(encoding).name if encoding != "auto" else "auto"
    for mark, name in _BOMS:
        if head.startswith(mark) and (wanted == "auto" or name.startswith(wanted)):
            return name, len(mark)
    if wanted == "auto":
        return wide_encoding(head) or "auto", 0
    if wanted in ("utf-16", "utf-32"):
        return (wide_encoding(head) or f"{wanted}-le"), 0
    return ("utf-8" if wanted in ("utf-8-sig", "ascii") else wanted), 0


def _byte_lines(file: IO[bytes]) -> Iterator[bytes]:
    return iter(partial(file.readline, LONGEST_LINE), b"")


def _guessed_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines of a file whose encoding shows at the first line that is not ASCII."""
    for line in _byte_lines(file):
        if not line.isascii():
            break
        yield line
    else:
        return
    name = _guessed(line, file)
    if name == "utf-8":
        yield line
        yield from _byte_lines(file)
        return
    yield _in_utf8(line, name)
    yield from _other_lines(file, name)


def _other_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    return (_in_utf8(line, name) for line in _byte_lines(file))


def _guessed(text: bytes, file: IO[bytes]) -> str:
    """The encoding, by the text that was read last and what follows it; the file stays there."""
    rest = file.read(SAMPLE)
    file.seek(-len(rest), 1)
    first = _NOT_ASCII.search(text)
    begin = text.rfind(b"\n", 0, first.start()) + 1 if first else 0
    sample = (text[begin:] + rest)[: 2 * SAMPLE]
    return guess(sample, is_all=len(rest) < SAMPLE and len(sample) < 2 * SAMPLE)


def _in_utf8(line: bytes, name: str) -> bytes:
    if line.isascii():
        return line
    try:
        return line.decode(name).encode()
    except UnicodeError:
        return UNDECODABLE + line.decode(name, "replace").encode("utf-8", "replace")


def _wide_lines(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Lines of UTF-16 and UTF-32, whose line ends are several bytes."""
    width = 2 if name.startswith("utf-16") else 4
    end = "\n".encode(name)
    held = b""
    while chunk := file.read(SAMPLE):
        held += chunk
        start = 0
        while (stop := _aligned(held, end, start, width)) >= 0:
            yield _in_utf8_wide(held[start : stop + width], name)
            start = stop + width
        held = held[start:]
        if len(held) >= LONGEST_LINE:
            cut = len(held) // width * width
            yield _in_utf8_wide(held[:cut], name)
            held = held[cut:]
    if held:
        yield _in_utf8_wide(held, name)


def _aligned(held: bytes, end: bytes, start: int, width: int) -> int:
    """Where the line end stands, at a multiple of its width."""
    found = held.find(end, start)
    while found >= 0 and found % width:
        found = held.find(end, found + 1)
    return found


def _in_utf8_wide(line: bytes, name: str) -> bytes:
    try:
        return line.decode(name).encode()
    except UnicodeError:
        return UNDECODABLE + line.decode(name, "replace").encode("utf-8", "replace")
