"""Rows chosen by a reward model: the cases of reward.yaml, and a real model through a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import CallFailed, Context
from sftrecipe.plugin import OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.filters.reward import Reward

from ...support.training_environment import ABSENT, training_process_environment, training_python
from ...support.training_model import small_model
from .judging import judged

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "filter" / "reward.yaml").read_text("utf-8")
)
REFERENCE = Path(__file__).parents[1] / "providers" / "transformers_reference.py"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    plugin = Reward.model_validate(case.get("with", {}))
    if "columns" in case:
        found = plugin.problems(frozenset(case["columns"]), OptionFiles({}))
        assert [problem.message for problem in found] == case["problems"]
        return

    def answer(request: Request) -> str:
        assert request.kind == "reward"
        assert request.messages[-1]["role"] == "assistant"
        said = request.messages[-1]["content"]
        if said not in case["rewards"]:
            raise CallFailed("final", "too long")
        return repr(float(case["rewards"][said]))

    rows = RowList.of(*(row for row, _ in case["rows"]))
    model = FakeModel(answer)
    verdicts = judged(plugin, rows, Context("rated", models={"": model}))
    for verdict, (_, wanted) in zip(verdicts, case["rows"], strict=True):
        expected = {"keep": False, **wanted}
        assert {name: getattr(verdict, name) for name in expected} == expected
    asked = [request for request in model.requests if request.messages[0]["content"] == "hello"]
    assert all(len(request.messages) == 4 for request in asked)


RECIPE = """\
version: 1
name: rated
providers:
  rm: {{use: transformers, model: {model}, device: cpu}}
sources:
  rows: {{use: jsonl, path: rows.jsonl}}
filter:
  - {{id: rated, use: reward, on: rows, provider: rm}}
  - {{id: best, use: top, on: rows, with: {{score: rated, most: 2}}}}
export: [{{use: jsonl}}]
"""


@pytest.mark.heavy
def test_the_best_rows_by_a_real_reward_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(python.parents[1]))
    models = tmp_path / "models"
    made = {"tokenizer": str(small_model(tmp_path / "smollm2"))}
    _run([python, REFERENCE, "models", models], json.dumps(made), tmp_path)
    rows = [{"instruction": f"What is {n} + {n}?", "output": f"It is {2 * n}."} for n in range(5)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "r.yaml").write_text(RECIPE.format(model=models / "classifier"), "utf-8")
    sftrecipe = [sys.executable, "-m", "sftrecipe.cli.main"]
    planned = json.loads(_run([*sftrecipe, "plan", "r.yaml", "--json"], "", tmp_path))
    [step] = [step for step in planned["steps"] if step["id"] == "rated"]
    assert step["calls"] == [5, 10]  # of pairs two each
    _run([*sftrecipe, "run", "r.yaml"], "", tmp_path)
    files = set(tmp_path.glob("runs/rated/*.jsonl"))
    [file] = files - {tmp_path / "runs/rated/rejects.jsonl"}
    kept = [json.loads(line)["output"] for line in file.read_text("utf-8").splitlines()]
    talks = [
        [
            {"role": "user", "content": row["instruction"]},
            {"role": "assistant", "content": row["output"]},
        ]
        for row in rows
    ]
    told = _run(
        [python, REFERENCE, "classifier_rewards", models / "classifier"],
        json.dumps(talks),
        tmp_path,
    )
    rewards = dict(zip([row["output"] for row in rows], json.loads(told), strict=True))
    assert set(kept) == set(sorted(rewards, key=rewards.__getitem__)[-2:])


def _run(command: list[Any], given: str, folder: Path) -> str:
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        env=training_process_environment(),
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
