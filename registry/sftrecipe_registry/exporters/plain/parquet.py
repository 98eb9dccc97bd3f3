"""Parquet, as the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from sftrecipe.plugin import DataSet, ExportContext, Exporter, LaterMarker, Rows
from sftrecipe_registry.exporters.plain.plain_rows import common_schema, id_column, tables
from sftrecipe_registry.shared.files.data_set_name import Name, data_set_name


class Parquet(Exporter):
    """Write all columns of every row, with one type a column.

    A column whose rows disagree on the type becomes JSON text.
    """

    example: ClassVar[str] = "{use: parquet, with: {compression: zstd, lineage: true}}"

    name: Name | None = None
    """Name of the file, without `.parquet`; the recipe's where it is left out."""
    ids: Annotated[bool, LaterMarker()] = False
    """Add every row's id, which `sftrecipe explain` takes, as `id`; where the rows have a column of
    that name, as `row_id`."""
    lineage: bool = False
    """Add the column `lineage`: id, stream, origin, parents, calls, scores and tags."""
    compression: Literal["zstd", "snappy", "gzip", "none"] = "zstd"
    """How the file is packed."""

    def writes(self, name: str) -> Sequence[DataSet]:
        """Its one data set."""
        name = data_set_name(self.name, name)
        return [DataSet(name, (f"{name}.parquet",), 0)]

    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Write the rows; they are read twice, first for the types."""
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - 60 ms, only a run needs it

        name = data_set_name(self.name, to.name)
        id_name = id_column(rows, self.ids)
        schema = common_schema(rows, self.lineage, id_name)
        count = 0
        with (
            to.create(f"{name}.parquet") as file,
            ParquetWriter(file, schema, compression=self.compression) as writer,
        ):
            for table in tables(rows, schema, self.lineage, id_name):
                writer.write_table(table)
                count += table.num_rows
        return [DataSet(name, (f"{name}.parquet",), count)]
