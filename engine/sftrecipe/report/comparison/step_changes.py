"""Steps that are made again on the other side, and why; files and versions that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from itertools import islice
from typing import Any, Literal

from sftrecipe.report.comparison.compared_side import ComparedSide
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.recipe_lock.lock_contents import FactPath, Facts, is_hidden
from sftrecipe.run.recipe_lock.made_data import data_set_facts, stream_facts

_LINES = 40
"""Lines of a file's own difference."""
_DATA = ("streams", "data_sets")


@dataclass(frozen=True)
class StepChange:
    """A step that is not what it was."""

    kind: Literal["stale", "new", "gone"]
    step: str
    section: str
    why: list[str] = field(default_factory=list)
    """Parts of its key that differ; empty for new and gone ones."""


@dataclass(frozen=True)
class FileChange:
    """A file that the steps read."""

    kind: Literal["changed", "new", "gone"]
    name: str
    lines: list[str] = field(default_factory=list)
    """Its difference line by line, where both texts are at hand."""


@dataclass(frozen=True)
class FactDifference:
    """A fact of locks or versions; None: there is none."""

    name: str
    was: Any
    now: Any


def step_changes(was: ComparedSide, now: ComparedSide) -> list[StepChange]:
    """The steps whose keys differ, and those that only one side has; what a run did not come to is
    none of them."""
    if was.steps is None or now.steps is None:
        return []
    reached = _reached(was) & _reached(now)
    unreached = {*was.unreached(now), *now.unreached(was)}
    found = [
        StepChange("gone", name, step.section)
        for name, step in was.steps.items()
        if name not in now.steps and step.section in reached and name not in unreached
    ]
    for name, new in now.steps.items():
        old = was.steps.get(name)
        if old is None:
            if new.section in reached and name not in unreached:
                found.append(StepChange("new", name, new.section))
        elif old.key != new.key:
            parts = dict.fromkeys((*old.parts, *new.parts))
            why = [part for part in parts if old.parts.get(part) != new.parts.get(part)]
            found.append(StepChange("stale", name, new.section, why))
    return found


def _reached(side: ComparedSide) -> set[str]:
    """Sections that a run went to, all of a recipe's."""
    assert side.steps is not None  # noqa: S101
    every = {"sources", "generate", "filter", "mix", "export"}
    return every | {step.section for step in side.steps.values()}


def file_changes(was: ComparedSide, now: ComparedSide) -> Iterator[FileChange]:
    """Files that hold something else, are new, or are not read any more."""
    if was.files is None or now.files is None:
        return
    for name in sorted({*was.files, *now.files}):
        old, new = was.files.get(name), now.files.get(name)
        if old is not None and new is not None and old != new:
            texts = was.text_of(name, old), now.text_of(name, new)
            yield FileChange("changed", name, list(_lines(*texts)))
        elif old is None:
            yield FileChange("new", name)
        elif new is None:
            yield FileChange("gone", name)


def _lines(was: str | None, now: str | None) -> Iterator[str]:
    if was is None or now is None:
        return
    found = unified_diff(_split(was), _split(now), lineterm="", n=1)
    shown = list(islice(found, 2, _LINES + 3))
    yield from shown[:_LINES]
    if len(shown) > _LINES:
        yield "…"


def _split(text: str) -> list[str]:
    """Lines as editors and JSON Lines have them: other characters that end a line do not."""
    return text.removesuffix("\n").replace("\r\n", "\n").split("\n")


def version_changes(was: ComparedSide, now: ComparedSide) -> list[FactDifference]:
    """Packages that two runs had in other versions."""
    if was.record is None or now.record is None:
        return []
    return _differing(was.record.versions, now.record.versions)


def lock_changes(was: ComparedSide, now: ComparedSide) -> list[FactDifference]:
    """Facts of two locks that differ; of recipes with locks beside them, those of their data."""
    is_asked = "lock" in (was.head.kind, now.head.kind)
    if not is_asked and (was.opened or now.opened):
        return []  # rows themselves are compared
    old, new = _lock_facts(was), _lock_facts(now)
    if old is None or new is None:
        return []
    sections = None if is_asked else _DATA
    bare = "run" in (was.head.kind, now.head.kind)
    shown = []
    for facts, other in ((old, new), (new, old)):
        shown.append({
            ".".join(path): value
            for path, value in facts.items()
            if (sections is None or path[0] in sections)
            and not is_hidden(path, facts)
            and not is_hidden(path, other)
            and not (bare and path[0] not in {each[0] for each in other})
            and path != ("recipe",)
        })  # fmt: skip
    return _differing(*shown)


def _lock_facts(side: ComparedSide) -> Facts | None:
    """A lock's facts; of a run those that it knows as a lock has them."""
    if side.lock is not None:
        return side.lock.facts
    return _of_run(side.opened) if side.opened else None


def _of_run(opened: OpenedRun) -> Facts:
    run, found = opened.run, dict[FactPath, Any]()
    found[("name",)] = run.name
    for key in ("seed", "language"):
        if key in run.document:
            found[(key,)] = run.document[key]
    for name, stream in opened.streams.items():
        found |= stream_facts(name, stream)
    for step in run.steps:
        found |= data_set_facts(step.id, step.facts.data_sets)
    return found


def _differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[FactDifference]:
    return [
        FactDifference(name, was.get(name), now.get(name))
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    ]
