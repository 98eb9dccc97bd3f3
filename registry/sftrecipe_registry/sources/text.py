"""Plain text files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar, Literal

from sftrecipe.plugin import Context, InputPath, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.file_contents import check_text
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.rows import found_rows
from sftrecipe_registry.shared.readers.text_documents import text_lines, whole_file


class Text(Source):
    """Read plain text into the column `text`: a document a line, or a document a file.

    Empty lines and files count for nothing. Rejects `undecodable`, `line_too_long` and
    `file_too_long`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "undecodable": ("encoding",),
        "line_too_long": (),
        "file_too_long": ("per",),
    }
    example: ClassVar[str] = "{use: text, path: corpus, per: file}"

    path: InputPath
    """A text file, or a folder of .txt files; packed ones too (gz, bz2, xz, zst, zip)."""
    per: Literal["line", "file"] = "line"
    """What a document is."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The documents."""
        documents = text_lines if self.per == "line" else whole_file
        kind = FileKind("text", (".txt", ".text"), partial(check_text, use="text"))
        for file, shown in data_files(ctx.path(self.path), self.path, kind, ctx):
            yield from found_rows(documents(file, self.encoding), shown, ctx)
