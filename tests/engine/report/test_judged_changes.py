"""Judges' figures of two runs: the difference question by question, or of two judgings apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sftrecipe.record import new_record
from sftrecipe.report.comparison.compared_side import ComparedSide, SideHead
from sftrecipe.report.comparison.judged_changes import JudgedChange, judged_changes
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun, opened_run
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store.artifacts import StepStore, files_in
from sftrecipe.store.project import Project
from sftrecipe.store.rows import RowWriter
from sftrecipe.store.step_facts import StepFacts

Scores = dict[str, float]


def judged(project: Project, key: str, scores: Scores) -> OpenedRun:
    """A run whose judge gave each question a score."""
    store = StepStore(project.steps)
    mean = float(np.mean(list(scores.values())))
    half = float(1.96 * np.std(list(scores.values()), ddof=1) / np.sqrt(len(scores)))
    metrics = {"score": mean, "score_low": mean - half, "score_high": mean + half}
    facts: dict[str, Any] = {
        "made": len(scores),
        "kept": len(scores),
        "notes": {"metrics": metrics},
    }
    with store.writing(key) as draft:
        rows = RowWriter(draft / ROWS)
        for question, value in scores.items():
            rows.write(
                new_record("exam", {"output": key}, parents=(question,), scores={"score": value})
            )
        rows.close()
        store.finish(draft, StepFacts.from_json({**facts, "files": files_in(draft)}))
    step = {
        "id": "exam",
        "section": "evaluate",
        "use": "reference",
        "key": key,
        "parts": {"store": "2"},
    }
    record = RunRecord.from_json({"name": "x", "steps": [{**step, **facts}]})
    return opened_run(project.folder, record, project)


def change(project: Project, was: Scores, now: Scores) -> JudgedChange:
    """What came of the figure."""
    sides = [
        ComparedSide(SideHead("run", name), opened=judged(project, name * 32, scores))
        for name, scores in (("a", was), ("b", now))
    ]
    (found,) = judged_changes(*sides)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def scores(count: int, shift: float, *, first: int = 0) -> Scores:
    """Of questions that differ much from one another, a little noise and a shift."""
    chance = np.random.default_rng(count + first + int(1000 * abs(shift)))
    numbers = range(first, first + count)
    return {f"q{n}": float(np.sin(n) * 3 + shift + chance.normal(0, 0.1)) for n in numbers}


@pytest.mark.parametrize("shift", [0.2, -0.2])
def test_equal_questions_are_compared_one_by_one(project: Project, shift: float) -> None:
    """A shift that the questions' own spread would hide is found, with its sign."""
    found = change(project, scores(60, 0.0), scores(60, shift))
    assert (found.paired, found.rows, found.lost) == (True, 60, 0)
    assert found.difference == pytest.approx(shift, abs=0.05)
    assert found.difference == pytest.approx(found.now - found.was)
    assert found.low is not None
    assert found.high is not None
    assert found.low < shift < found.high
    assert found.high - found.low < 0.15
    assert found.low > 0 or found.high < 0


def test_questions_that_one_alone_judged_are_told(project: Project) -> None:
    found = change(project, scores(60, 0.0), scores(60, 0.2, first=10))
    assert (found.rows, found.lost) == (50, 20)
    assert found.difference == pytest.approx(0.2, abs=0.05)


def test_other_questions_are_compared_by_both_intervals(project: Project) -> None:
    found = change(project, scores(60, 0.0), scores(60, 0.2, first=100))
    assert not found.paired
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 1.0
    assert found.low < 0 < found.high
