"""All that differs between two runs, recipes or locks, as far as both sides have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sftrecipe.errors import Problem
from sftrecipe.report.comparison.compared_side import ComparedSide, SideHead
from sftrecipe.report.comparison.figure_changes import FigureChange, figure_changes
from sftrecipe.report.comparison.judged_changes import JudgedChange, judged_changes
from sftrecipe.report.comparison.recipe_changes import RecipeChange, recipe_changes
from sftrecipe.report.comparison.step_changes import (
    FactDifference,
    FileChange,
    StepChange,
    file_changes,
    lock_changes,
    step_changes,
    version_changes,
)
from sftrecipe.report.comparison.stream_changes import StreamChange, stream_changes
from sftrecipe.report.pages.run.facts.secret_values import Scrub

Note = tuple[str, dict[str, str | list[str]]]
"""A text's name, and its values; names of steps as a list."""


@dataclass(frozen=True)
class RunDifference:
    """What changed; every part is empty where nothing did, or one side does not have it."""

    was: SideHead
    now: SideHead
    recipe: Sequence[RecipeChange]
    files: Sequence[FileChange]
    versions: Sequence[FactDifference]
    lock: Sequence[FactDifference]
    steps: Sequence[StepChange]
    streams: Sequence[StreamChange]
    figures: Sequence[FigureChange]
    judged: Sequence[JudgedChange]
    notes: Sequence[Note]
    """What could not be compared, and why."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs, of what can be compared."""
        return not any((
            self.recipe, self.files, self.versions, self.lock,
            self.steps, self.streams, self.judged,
            *(each for each in self.figures if each.group != "usage"),
        ))  # fmt: skip

    def as_json(self) -> str:
        """The same as JSON."""
        return orjson.dumps(self, option=orjson.OPT_INDENT_2, default=str).decode()


def run_difference(was: ComparedSide, now: ComparedSide, samples: int) -> RunDifference:
    """Compare two sides; of rows that differ, so many samples of each kind and stream.

    Values of secrets are taken out of all of it.
    """
    old, new = was.document, now.document
    found = RunDifference(
        was=was.head,
        now=now.head,
        recipe=recipe_changes(old, new) if old and new else [],
        files=list(file_changes(was, now)),
        versions=version_changes(was, now),
        lock=lock_changes(was, now),
        steps=step_changes(was, now),
        streams=stream_changes(was, now, samples),
        figures=figure_changes(was, now),
        judged=judged_changes(was, now),
        notes=[*_notes(was, now), *_notes(now, was)],
    )
    for document in (old, new):
        found = _scrubbed(found, document)
    return found


def _scrubbed(found: RunDifference, document: Any) -> RunDifference:
    cleaned: RunDifference = Scrub(document or {})(found)
    return cleaned


def _notes(found: ComparedSide, other: ComparedSide) -> list[Note]:
    notes: list[Note] = []
    name = found.head.name
    if found.problems:
        notes.append(("note-unplanned", {"name": name, "why": _first(found.problems)}))
    if found.opened:
        for slug, steps in (
            ("note-unreached", found.unreached(other)),
            ("note-gone", found.opened.gone),
            ("note-replaced", found.opened.replaced),
        ):
            if steps:
                notes.append((slug, {"name": name, "steps": list(steps)}))
    return notes


def _first(problems: Sequence[Problem]) -> str:
    errors = [each for each in problems if each.severity == "error"]
    return (errors or list(problems))[0].message()
