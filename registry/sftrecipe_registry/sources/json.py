"""JSON files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sftrecipe import Context, Record, Reject, Source
from sftrecipe.options import InputPath
from sftrecipe_registry.shared.data_files import data_files
from sftrecipe_registry.shared.found_rows import found_rows
from sftrecipe_registry.shared.json_list import json_items
from sftrecipe_registry.shared.text_files import Encoding


class Json(Source):
    """Read a JSON file: a list whose items are rows, objects of columns.

    It is read item by item in bounded memory, whatever its size; objects in a row without a list
    are read too. Rejects `not_json`, `not_an_object`, `undecodable` and `item_too_long`.
    """

    example: ClassVar[str] = "{use: json, path: data/alpaca_zh.json}"

    path: InputPath
    """A .json file, or a folder of them."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The list's items."""
        for file, shown in data_files(ctx.path(self.path), self.path, (".json",)):
            yield from found_rows(json_items(file, self.encoding), shown, ctx)
