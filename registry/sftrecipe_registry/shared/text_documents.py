"""Reading plain text: a document a line, or a document a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe_registry.shared.found_rows import Bad, Found
from sftrecipe_registry.shared.json_lines import shown
from sftrecipe_registry.shared.text_files import LONGEST_LINE, utf8_lines, whole_text


def text_lines(path: Path, encoding: str = "auto") -> Iterator[Found]:
    """Every line that is not empty, as `text`. Raises OSError."""
    number, whole = 0, True
    for line in utf8_lines(path, encoding):
        number += whole
        began, whole = whole, line.endswith(b"\n") or len(line) < LONGEST_LINE
        if not (began and whole):
            if began:
                yield Bad(number, shown(line), "line_too_long", f"over {LONGEST_LINE} bytes")
            continue
        try:
            text = line.decode().rstrip("\r\n")
        except UnicodeDecodeError as error:
            detail = f"byte {error.start + 1} of the line"
            yield Bad(number, shown(line.rstrip(b"\r\n")), "undecodable", detail)
            continue
        if text and not text.isspace():
            yield number, {"text": text}


def whole_file(path: Path, encoding: str = "auto") -> Iterator[Found]:
    """The file as one `text`, without the line breaks at its end. Raises OSError."""
    size = path.stat().st_size
    if size > LONGEST_LINE:
        yield Bad(1, "", "file_too_long", f"{size} bytes, over {LONGEST_LINE}")
        return
    try:
        text = whole_text(path, encoding).replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        bad = error.object[: error.start].rsplit(b"\n")[-1] + error.object[error.start :]
        yield Bad(line, shown(bad.split(b"\n")[0]), "undecodable", f"line {line}")
        return
    if text and not text.isspace():
        yield 1, {"text": text}
