"""One side of a comparison: a run, a recipe or a lock, as far as each is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sftrecipe.errors import Problem
from sftrecipe.plan.steps import Plan
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.run.recipe_lock.lock_contents import RecipeLock
from sftrecipe.run.run_history import LARGEST_TEXT, HistoryEntry, kept_text
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.written_blocks import written_blocks
from sftrecipe.store.project import Project


@dataclass(frozen=True)
class SideHead:
    """What a side is."""

    kind: Literal["run", "recipe", "lock"]
    name: str
    """A run's id, or the file as it was named."""
    recipe: str = ""
    """The recipe's name."""
    profile: str = ""
    status: str = ""
    began: str = ""
    """A run's, in UTC."""
    commit: str = ""
    """Where it was taken from a git revision."""


@dataclass(frozen=True)
class SideStep:
    """A step, as far as its key goes."""

    section: str
    key: str
    parts: Mapping[str, str]


@dataclass(frozen=True)
class ComparedSide:
    """One side."""

    head: SideHead
    document: Mapping[str, Any] | None = None
    """The composed recipe."""
    steps: Mapping[str, SideStep] | None = None
    """None where it could not be planned."""
    files: Mapping[str, str] | None = None
    """Hashes of the files that the steps read, by name; None where they are not known."""
    text_of: Callable[[str, str], str | None] = lambda _name, _content: None
    """The text of a small file by name and hash; None where it is not at hand."""
    opened: OpenedRun | None = None
    """A run's rows."""
    lock: RecipeLock | None = None
    problems: Sequence[Problem] = field(default_factory=tuple)
    """Why it could not be planned."""

    @property
    def record(self) -> RunRecord | None:
        """A run's own word."""
        return self.opened.run if self.opened else None

    def unreached(self, other: ComparedSide) -> list[str]:
        """Steps of the other side that a run which did not come to its end has in its recipe, and
        had not done."""
        if self.record is None or self.record.status == "done" or other.steps is None:
            return []
        document, done = self.record.document, self.steps or {}
        return [
            name
            for name, step in other.steps.items()
            if name not in done and name in dict(written_blocks(document, step.section))
        ]


def run_side(
    name: str, opened: OpenedRun, project: Project, entry: HistoryEntry | None
) -> ComparedSide:
    """A run; `entry`: what the history knows of it."""
    run = opened.run
    began = entry.began.isoformat() if entry else run.started
    head = SideHead("run", name, run.name, run.profile or "", run.status, began)
    steps = {each.id: SideStep(each.section, each.key, each.parts) for each in run.steps}
    return ComparedSide(
        head,
        run.document,
        steps,
        entry.files if entry else None,
        lambda _, content: kept_text(project, content),
        opened,
    )


def planned_side(head: SideHead, document: Mapping[str, Any], plan: Plan) -> ComparedSide:
    """A recipe that can be planned."""
    steps = {each.id: SideStep(each.block.section, each.key, each.parts) for each in plan.steps}
    read = plan.read_files()

    def text_of(name: str, content: str) -> str | None:
        path = read[name][1] if name in read and read[name][0] == content else None
        try:
            if path is None or path.stat().st_size > LARGEST_TEXT:
                return None
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    return ComparedSide(
        head, document, steps, {name: each[0] for name, each in read.items()}, text_of
    )
