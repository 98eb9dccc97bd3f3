"""JSON lines, as the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import orjson

from sftrecipe.plugin import DataSet, ExportContext, Exporter, LaterMarker, Rows
from sftrecipe_registry.exporters.plain.plain_rows import id_column, plain_row
from sftrecipe_registry.shared.files.data_set_name import Name, data_set_name


class Jsonl(Exporter):
    """Write all columns of every row, one JSON object a line, in UTF-8."""

    example: ClassVar[str] = "{use: jsonl, with: {name: all_rows, lineage: true}}"

    name: Name | None = None
    """Name of the file, without `.jsonl`; the recipe's where it is left out."""
    ids: Annotated[bool, LaterMarker()] = False
    """Add every row's id, which `sftrecipe explain` takes, as `id`; where the rows have a column of
    that name, as `row_id`."""
    lineage: bool = False
    """Add to every row `lineage`: its id, stream, origin, parents, calls, scores and tags."""

    def writes(self, name: str) -> Sequence[DataSet]:
        """Its one data set."""
        name = data_set_name(self.name, name)
        return [DataSet(name, (f"{name}.jsonl",), 0)]

    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Write the rows."""
        name = data_set_name(self.name, to.name)
        count = 0
        id_name = id_column(rows, self.ids)
        with to.create(f"{name}.jsonl") as file:
            for record in rows:
                file.write(orjson.dumps(plain_row(record, self.lineage, id_name)) + b"\n")
                count += 1
        return [DataSet(name, (f"{name}.jsonl",), count)]
