"""Run an exporter as the engine does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe import Context, Record, Rows
from sftrecipe.plugin import DataSet, ExportContext
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.run import catalogue
from sftrecipe.store import atomic_files


class Exported(NamedTuple):
    """What an export left."""

    folder: Path
    sets: list[DataSet]
    rejects: list[tuple[Record, str, float | str | None]]

    @property
    def reasons(self) -> list[str]:
        """Why rows were left out, in order."""
        return [reason for _, reason, _ in self.rejects]

    def rows(self, at: int = 0) -> list[dict[str, Any]]:
        """The rows of a JSON data set."""
        file = self.folder / self.sets[at].files[0]
        loaded: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return loaded


def export(use: str, rows: Rows, folder: Path, **options: Any) -> Exported:
    """Export the rows and register the data sets."""
    rejects: list[tuple[Record, str, float | str | None]] = []
    to = ExportContext(
        "demo",
        folder,
        Context("export"),
        lambda name: atomic_files.create(folder, name),
        lambda record, reason, value=None: rejects.append((record, reason, value)),
    )
    exporter = plugin_class("exporter", use).model_validate(options)
    sets = list(exporter.export(rows, to))  # type: ignore[attr-defined]
    catalogue.register(folder / catalogue.NAME, sets, folder)
    return Exported(folder, sets, rejects)
