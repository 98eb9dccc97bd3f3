"""What a run and its steps say of themselves is read as it was written, by whichever version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.step_facts import StepFacts

FINISHED = Path(__file__).parents[2] / "pins" / "finished"
NOTES: list[dict[str, Any]] = [
    {},
    {"told": {"passed_over": {"count": 2, "examples": ["a", "b"]}}},
    {"metrics": {"loss": 1.5}, "models": ["tuned"], "model": "tuned", "told": {"a": {"b": 1}}},
    {"metrics": {"loss": 1.5}, "written": 3, "repeated": 1, "data_sets": [], "drawn": {"a": 3}},
    {"streams": {"a": {"rows": 3}}, "written": 3, "repeated": 1, "drawn": {"a": 3}},
    {
        "model": "model", "metrics": {"train_loss": 0.5}, "losses": [[1, 0.5]],
        "held_out_losses": [], "files": {"model.safetensors": [3, 5]},
    },
]  # fmt: skip


def test_a_finished_run_is_written_as_it_was_read() -> None:
    told = json.loads((FINISHED / "out" / "run.json").read_bytes())
    assert json.loads(json.dumps(RunRecord.from_json(told).as_json())) == told
    for step in told["steps"]:
        facts = StepFacts.from_json(step)
        assert StepFacts.from_json(json.loads(json.dumps(facts.as_json()))) == facts


@pytest.mark.parametrize("notes", NOTES)
def test_no_note_is_lost(notes: dict[str, Any]) -> None:
    assert json.loads(json.dumps(StepFacts.from_json({"notes": notes}).notes_json())) == notes


def test_a_run_of_which_little_is_told_is_read() -> None:
    step = {"id": "rows", "section": "sources", "key": "ab"}
    run = RunRecord.from_json({"name": 3, "steps": [step], "versions": [], "usage": None})
    assert (run.name, run.versions, run.usage) == ("", {}, None)
    [read] = run.steps
    assert (read.makes, read.thins, read.facts) == (("rows",), (), StepFacts())


def test_an_account_of_rows_that_nobody_made_is_refused() -> None:
    with pytest.raises(TypeError, match="made"):
        StepFacts.from_json({"made": []})
