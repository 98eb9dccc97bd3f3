"""Data sets in the output folder that the recipe made once and does not make any more.

Left there, rows that were held out once would be found beside data that holds them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.run.execution import Execution
from sftrecipe.run.steps.export_step import file_state
from sftrecipe.store.atomic_files import explained, inside

Noted = Mapping[str, Any]
"""A data set as the facts of its export tell it."""


def outdated(before: Noted, execution: Execution) -> list[Noted]:
    """The data sets of the run before, and of those before it that did not end, which are not
    among those of this run. Those of another recipe that shares the folder are not its business.
    """
    if before.get("name") != execution.plan.recipe.name:
        return []
    names = {data_set.name for data_set in execution.data_sets}
    found = {noted["name"]: noted for noted in (*before.get("outdated", ()), *_exported(before))}
    return [noted for name, noted in found.items() if name not in names]


def remove_outdated(data_sets: list[Noted], execution: Execution) -> None:
    """Delete their files. One that somebody changed since, or that this run wrote, stays."""
    written = {file for data_set in execution.data_sets for file in data_set.files}
    for noted in data_sets:
        for name, state in noted["files"].items():
            path = inside(execution.out, name)
            if name not in written and state is not None and file_state(path) == state:
                with explained(path):
                    path.unlink()


def _exported(run: Noted) -> Iterator[Noted]:
    for step in run.get("steps", ()):
        if step["section"] == "export":
            yield from step.get("notes", {}).get("data_sets", ())
