"""What a file holds, by its first bytes and its name: a reader refuses what is not its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from sftrecipe.plugin import PluginRefused, Text, Texts
from sftrecipe_registry.shared.files.encoding_guess import wide_encoding
from sftrecipe_registry.shared.files.packed_files import HEAD, DataFile, open_data, packing_mark

texts = Texts(__package__)
_MARKS = (
    (b"%PDF-", "a-pdf", "save-as-text"),
    (b"PAR1", "a-parquet-file", "write-use-parquet"),
    (b"ARROW1\0\0", "an-arrow-file", "name-its-folder"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an-old-office-document", "save-as-xlsx"),
    (b"{\\rtf", "rtf", "save-as-text"),
    (b"SQLite format 3\0", "an-sqlite-database", "save-its-table"),
    (b"7z\xbc\xaf\x27\x1c", "a-7z-archive", "unpack-it"),
    (b"Rar!\x1a\x07", "a-rar-archive", "unpack-it"),
    (b"\x04\x22\x4d\x18", "packed-by-lz4", "unpack-it"),
    (b"\xff\x06\0\0sNaPpY", "packed-by-snappy", "unpack-it"),
    (b"\x1f\x9d", "packed-by-compress", "unpack-it"),
    (b"\x5d\0\0", "packed-by-lzma", "unpack-it"),
    (b"version https://git-lfs.github.com/spec/", "a-pointer-of-git-lfs", "run-git-lfs-pull"),
    (b"\x89PNG", "a-picture", ""),
    (b"\xff\xd8\xff", "a-picture", ""),
    (b"GIF89a", "a-picture", ""),
    (b"Obj\x01", "an-avro-file", "save-as-parquet"),
)
"""How files begin, what they are then, and what to do: slugs of texts."""
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*\[?\s*\{\s*"[^"]*"\s*:')
_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.I | re.S)
_TAR = (257, b"ustar")
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")
_MOST_CONTROLS = 0.04
"""Share of a text's bytes that may be control characters; of binary data a tenth is."""
_FEW = 300
"""Bytes that a shorter text counts for."""

_DOCUMENTS = {
    **dict.fromkeys((".html", ".htm", ".xhtml", ".mhtml"), "html"),
    ".pdf": "a-pdf",
    **dict.fromkeys((".docx", ".doc", ".dotx", ".docm"), "a-word-document"),
    **dict.fromkeys((".pptx", ".ppt"), "a-powerpoint-document"),
    **dict.fromkeys((".odt", ".odp"), "an-opendocument-file"),
    ".epub": "an-epub-book",
    ".mobi": "a-mobipocket-book",
    ".rtf": "rtf",
}
"""By ending, documents of which somebody might think that they are read as text: slugs of texts."""
_TABLES = {
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
    if suffix in _DOCUMENTS:
        raise _refusal(name, texts(_DOCUMENTS[suffix]), use, texts("save-as-text"))
    if suffix in _TABLES:
        to_do = texts("write-use", use=_TABLES[suffix])
        raise _refusal(name, texts("a-suffix-file", suffix=suffix), use, to_do)
    head = head_of(file)
    if packing_mark(head):
        raise _refusal(name, texts("packed-twice"), use, texts("unpack-it"))
    for mark, kind, advice in _MARKS:
        if head.startswith(mark):
            raise _refusal(name, texts(kind), use, texts(advice) if advice else None)
    place, mark = _TAR
    if head[place : place + len(mark)] == mark:
        raise _refusal(name, texts("a-tar-archive"), use, texts("unpack-and-name"))
    if _HTML.match(head):
        raise _refusal(name, texts("html"), use, texts("save-as-text"))
    if use == "csv" and _JSON.match(head):
        raise _refusal(name, texts("a-json-file"), use, _text_advice(head))
    if is_binary(head):
        raise _refusal(name, texts("binary-data"), use, None)


def check_parquet(file: DataFile, name: str) -> None:
    """Refuse a file that is no Parquet. Raises PluginRefused with what to write, OSError."""
    head = head_of(file)
    if not head or head.startswith(b"PAR1"):
        return
    is_text = not is_binary(head)
    kind, advice = next(
        ((kind, advice) for mark, kind, advice in _MARKS if head.startswith(mark)),
        ("text" if is_text else "binary-data", ""),
    )
    to_do = texts(advice) if advice else _text_advice(head) if kind == "text" else None
    raise _refusal(name, texts(kind), "parquet", to_do)


def _text_advice(head: bytes) -> Text:
    """The source that reads a text which begins so."""
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    use = {b"{": "jsonl", b"[": "json"}.get(begin)
    return texts("write-use", use=use) if use else texts("write-use-of-kind")


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
            advice = texts("write-use", use="xlsx")
            raise _refusal(path, texts("an-excel-workbook"), use, advice)
        raise _refusal(path, texts("an-office-document"), use, texts("save-as-text"))
    if "mimetype" in every:
        raise _refusal(path, texts("opendocument-or-book"), use, texts("save-as-text"))


def is_document(names: Iterable[str]) -> bool:
    """Whether an archive of these files is a document itself."""
    return not {"[Content_Types].xml", "mimetype"}.isdisjoint(names)


def _refusal(name: str, kind: Text, use: str, advice: Text | None) -> PluginRefused:
    if advice is None:
        return PluginRefused(texts("not-read", file=name, kind=kind, use=use))
    return PluginRefused(texts("not-read-but", file=name, kind=kind, use=use, advice=advice))
