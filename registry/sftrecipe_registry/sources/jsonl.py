"""JSON Lines files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

from sftrecipe.plugin import Context, InputPath, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.json_lines import json_lines
from sftrecipe_registry.shared.readers.json_shape import check_lines
from sftrecipe_registry.shared.readers.rows import found_rows


class Jsonl(Source):
    """Read JSON Lines: every line is a row, an object of columns.

    NaN and infinities are null, numbers beyond 64 bits are texts; both are told. Rejects
    `not_json`, `not_an_object`, `undecodable` and `line_too_long`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_json": (),
        "not_an_object": (),
        "undecodable": ("encoding",),
        "line_too_long": (),
    }
    example: ClassVar[str] = "{use: jsonl, path: medical/seed_tasks.zh.jsonl}"

    path: InputPath
    """A .jsonl file, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The lines' objects."""
        check = partial(check_lines, encoding=self.encoding)
        kind = FileKind("jsonl", (".jsonl", ".ndjson"), check)
        for file, shown in data_files(ctx.path(self.path), self.path, kind, ctx):
            yield from found_rows(json_lines(file, self.encoding), shown, ctx)
