"""Reading a source in a test: files in a folder, options, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sftrecipe import Context, Record, Reject, Source
from sftrecipe.plugin import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.option_types import FileMarker, marked


def source(name: str, /, **options: Any) -> Source:
    """A source plugin with its options."""
    plugin = plugin_class("source", name).model_validate(options)
    assert isinstance(plugin, Source)
    return plugin


def context(plugin: Source, folder: Path, seed: int = 0) -> Context:
    """What the engine would give it, with the recipe in the folder."""
    values = [value for _, marker, value in marked(plugin) if isinstance(marker, FileMarker)]
    files = OptionFiles({value: str(folder / value) for value in values})
    return Context("step", seed=seed, files=files, folder=folder)


def read(
    name: str, folder: Path, /, *, seed: int = 0, **options: Any
) -> tuple[list[Record], list[Reject]]:
    """All rows and rejects of a source."""
    from sftrecipe.run.steps.source_step import read_source  # noqa: PLC0415 - pyarrow

    plugin = source(name, **options)
    items = list(read_source(plugin, context(plugin, folder, seed)))
    rows = [item for item in items if isinstance(item, Record)]
    return rows, [item for item in items if isinstance(item, Reject)]


def columns(rows: list[Record]) -> list[Mapping[str, Any]]:
    """What stands in the rows."""
    return [row.columns for row in rows]
