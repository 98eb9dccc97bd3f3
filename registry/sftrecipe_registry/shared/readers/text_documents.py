"""Reading plain text: a document a line, or a document a file."""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe_registry.shared.files.packed_files import DataFile, Packed
from sftrecipe_registry.shared.files.text_files import LONGEST_LINE, whole_text
from sftrecipe_registry.shared.readers.numbered_lines import numbered_lines
from sftrecipe_registry.shared.readers.rows import BadLine, Found, shown


def text_lines(path: DataFile, encoding: str = "auto") -> Iterator[Found]:
    """Every line that is not empty, as `text`. Raises OSError."""
    for found in numbered_lines(path, encoding):
        if isinstance(found, BadLine):
            yield found
            continue
        number, line = found
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            detail = f"byte {error.start + 1} of the line"
            yield BadLine(number, shown(line.rstrip(b"\r\n")), "undecodable", detail)
            continue
        if text and not text.isspace():
            yield number, {"text": text}


def whole_file(path: DataFile, encoding: str = "auto") -> Iterator[Found]:
    """The file as one `text`, without the line breaks at its end. Raises OSError."""
    size = _size(path)
    if size > LONGEST_LINE:
        yield BadLine(1, "", "file_too_long", f"{size} bytes, over {LONGEST_LINE}")
        return
    try:
        text = whole_text(path, encoding).replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        bad = error.object[: error.start].rsplit(b"\n")[-1] + error.object[error.start :]
        yield BadLine(line, shown(bad.split(b"\n")[0]), "undecodable", f"line {line}")
        return
    if text and not text.isspace():
        yield 1, {"text": text}


def _size(file: DataFile) -> int:
    """Bytes of its content; of a packed one no more are counted than are one too many."""
    if not isinstance(file, Packed):
        return file.stat().st_size
    size = 0
    with file.open() as content:
        while size <= LONGEST_LINE and (piece := content.read(1024 * 1024)):
            size += len(piece)
    return size
