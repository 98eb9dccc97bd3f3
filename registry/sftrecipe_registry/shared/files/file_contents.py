"""What a file holds, by its first bytes and its name: a reader refuses what is not its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from sftrecipe.plugin import PluginRefused
from sftrecipe_registry.shared.files.encoding_guess import wide_encoding
from sftrecipe_registry.shared.files.packed_files import HEAD, DataFile, open_data, packing_mark

NO_SOURCE = "no source reads it yet, save it as text or Markdown"
_UNPACK = "unpack it"
_SAVE_XLSX = "save it as .xlsx"
_MARKS = (
    (b"%PDF-", "a PDF", NO_SOURCE),
    (b"PAR1", "a Parquet file", "write `use: parquet`"),
    (b"ARROW1\0\0", "an Arrow file", "write `use: huggingface` with its folder as `path`"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", _SAVE_XLSX),
    (b"{\\rtf", "RTF", NO_SOURCE),
    (b"SQLite format 3\0", "an SQLite database", "save its table as CSV"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\x04\x22\x4d\x18", "packed by lz4", _UNPACK),
    (b"\xff\x06\0\0sNaPpY", "packed by snappy", _UNPACK),
    (b"\x1f\x9d", "packed by compress", _UNPACK),
    (b"\x5d\0\0", "packed by lzma", _UNPACK),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS", "run `git lfs pull`"),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
    (b"GIF89a", "a picture", ""),
    (b"Obj\x01", "an Avro file", "save it as Parquet or JSON Lines"),
)
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*\[?\s*\{\s*"[^"]*"\s*:')
_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.I | re.S)
_TAR = (257, b"ustar")
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
_MOST_CONTROLS = 0.04
"""Share of a text's bytes that may be control characters; of binary data a tenth is."""
_FEW = 300
"""Bytes that a shorter text counts for."""

DOCUMENTS = {
    **dict.fromkeys((".html", ".htm", ".xhtml", ".mhtml"), "HTML"),
    ".pdf": "a PDF",
    **dict.fromkeys((".docx", ".doc", ".dotx", ".docm"), "a Word document"),
    **dict.fromkeys((".pptx", ".ppt"), "a PowerPoint document"),
    **dict.fromkeys((".odt", ".odp"), "an OpenDocument file"),
    ".epub": "an EPUB book",
    ".mobi": "a Mobipocket book",
    ".rtf": "RTF",
}
"""Documents of which somebody might think that they are read as text."""
TABLES = {
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xls": "xlsx",
    ".xlsm": "xlsx",
    ".ods": "xlsx",
}
"""By ending, the source that reads what is no text."""


def check_text(file: DataFile, name: str, use: str) -> None:
    """Refuse a file that is no text. Raises PluginRefused with what to write, OSError."""
    suffix = PurePosixPath(file.name).suffix.lower()
    if suffix in DOCUMENTS:
        raise _refusal(name, DOCUMENTS[suffix], use, NO_SOURCE)
    if suffix in TABLES:
        raise _refusal(name, f"a {suffix} file", use, f"write `use: {TABLES[suffix]}`")
    head = head_of(file)
    if packing_mark(head):
        raise _refusal(name, "packed twice", use, _UNPACK)
    for mark, kind, advice in _MARKS:
        if head.startswith(mark):
            raise _refusal(name, kind, use, advice)
    place, mark = _TAR
    if head[place : place + len(mark)] == mark:
        raise _refusal(name, "a tar archive", use, "unpack it and name its folder")
    if _HTML.match(head):
        raise _refusal(name, "HTML", use, NO_SOURCE)
    if use == "csv" and _JSON.match(head):
        raise _refusal(name, "a JSON file", use, _text_use(head))
    if is_binary(head):
        raise _refusal(name, "binary data", use, "")


def check_parquet(file: DataFile, name: str) -> None:
    """Refuse a file that is no Parquet. Raises PluginRefused with what to write, OSError."""
    head = head_of(file)
    if not head or head.startswith(b"PAR1"):
        return
    found = next(((kind, said) for mark, kind, said in _MARKS if head.startswith(mark)), None)
    kind, said = found or (("binary data", "") if is_binary(head) else ("text", _text_use(head)))
    raise _refusal(name, kind, "parquet", said)


def _text_use(head: bytes) -> str:
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    use = {b"{": "`use: jsonl`", b"[": "`use: json`"}.get(
        begin, "the source of its kind, `use: csv`"
    )
    return f"write {use}"


def is_binary(head: bytes) -> bool:
    """Whether bytes are no text in any encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) or wide_encoding(head):
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > _MOST_CONTROLS * max(len(head), _FEW)


def head_of(file: DataFile, size: int = HEAD) -> bytes:
    """A file's first bytes, inflated. Raises PluginRefused, OSError."""
    with open_data(file) as content:
        head = content.read(size)
    return head


def check_archive(path: str, names: list[str], use: str) -> None:
    """Refuse a document that is an archive itself: Word, Excel … Raises PluginRefused."""
    every = set(names)
    if "[Content_Types].xml" in every:
        if any(name.startswith("xl/") for name in every):
            raise _refusal(path, "an Excel workbook", use, "write `use: xlsx`")
        raise _refusal(path, "an Office document", use, NO_SOURCE)
    if "mimetype" in every:
        raise _refusal(path, "an OpenDocument file or a book", use, NO_SOURCE)


def is_document(names: Iterable[str]) -> bool:
    """Whether an archive of these files is a document itself."""
    return not {"[Content_Types].xml", "mimetype"}.isdisjoint(names)


def _refusal(name: str, kind: str, use: str, advice: str) -> PluginRefused:
    told = f": {advice}" if advice else ""
    return PluginRefused(f"file '{name}' is {kind}, which `{use}` does not read{told}")
