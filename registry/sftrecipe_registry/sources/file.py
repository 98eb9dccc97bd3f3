"""Rows of any file, read by what its name ends with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from sftrecipe_registry.shared.readers.known_set import KnownSet


class File(KnownSet):
    """Read a file by what its name ends with: for a recipe that is run on anybody's data.

    `.json` (a list, or objects in a row), `.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.txt` (a line a
    row, as `text`), `.parquet` and `.arrow`; another ending is refused. Columns stay as they are;
    conversations are read in every usual form. Where a file needs more said (a key, a delimiter, a
    sheet), use `json`, `csv` or `xlsx`. Rejects as those do: `not_json`, `wrong_columns` ….
    """

    example: ClassVar[str] = '{use: file, path: "${vars.data}"}'

    def shaped(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """What stands there, as it is."""
        return (row,)
