"""Data sets in the output folder that the recipe made once and does not make any more.

Left there, rows that were held out once would be found beside data that holds them again.
"""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe.run.execution import Execution
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.steps.export_step import file_state
from sftrecipe.store.atomic_files import explained, inside
from sftrecipe.store.step_facts import DataSetFacts


def outdated(before: RunRecord, execution: Execution) -> list[DataSetFacts]:
    """The data sets of the run before, and of those before it that did not end, which are not
    among those of this run. Those of another recipe that shares the folder are not its business.
    """
    if before.name != execution.plan.recipe.name:
        return []
    names = {data_set.name for data_set in execution.data_sets}
    found = {each.name: each for each in (*(before.outdated or ()), *_exported(before))}
    return [each for name, each in found.items() if name not in names]


def remove_outdated(data_sets: list[DataSetFacts], execution: Execution) -> None:
    """Delete their files. One that somebody changed since, or that this run wrote, stays."""
    written = {file for data_set in execution.data_sets for file in data_set.files}
    for data_set in data_sets:
        for name, state in data_set.files.items():
            path = inside(execution.out, name)
            if name not in written and state is not None and file_state(path) == state:
                with explained(path):
                    path.unlink()


def _exported(run: RunRecord) -> Iterator[DataSetFacts]:
    for step in run.steps:
        yield from step.facts.data_sets
