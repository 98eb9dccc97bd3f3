"""JSON files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, ClassVar

from sftrecipe.plugin import Context, InputPath, LaterMarker, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.json_layout import Layout, laid_out_rows
from sftrecipe_registry.shared.readers.json_lines import json_lines
from sftrecipe_registry.shared.readers.json_shape import check_items, holds_lines
from sftrecipe_registry.shared.readers.rows import Found, found_rows


class Json(Source):
    """Read a JSON file: a list whose items are rows, objects of columns.

    It is read item by item in bounded memory, whatever its size; objects in a row without a list
    are read too, and what `key` and `layout` tell. NaN and infinities are null, numbers beyond 64
    bits are texts; both are told. Rejects `not_json`, `not_an_object`, `undecodable` and
    `item_too_long`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_json": (),
        "not_an_object": ("key", "layout"),
        "undecodable": ("encoding",),
        "item_too_long": (),
    }
    example: ClassVar[str] = "{use: json, path: data/alpaca_zh.json}"

    path: InputPath
    """A .json file, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""
    key: Annotated[str | None, LaterMarker()] = None
    """The key under which the rows stand, where the file is an object: `data`, or `result.items`
    for a key within a key."""
    layout: Annotated[Layout | None, LaterMarker()] = None
    """How the rows stand there. `rows`: as a list; `values`: as the values of an object;
    `columns`: as an object of columns, each a list. Left out: as a list, and what looks like
    another layout is refused."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The list's items."""
        layout = "rows" if self.key and self.layout is None else self.layout
        check = partial(check_items, encoding=self.encoding, layout=layout)
        kind = FileKind("json", (".json",), check)
        for file, shown in data_files(ctx.path(self.path), self.path, kind, ctx):
            yield from found_rows(self._found(file), shown, ctx)

    def _found(self, file: DataFile) -> Iterator[Found]:
        if self.key is None and self.layout is None and holds_lines(file, self.encoding):
            return json_lines(file, self.encoding)
        return laid_out_rows(file, self.encoding, self.key, self.layout)
