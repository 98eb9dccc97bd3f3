"""Data that the recipe's training cannot take, told with the recipe's other results in place."""

from __future__ import annotations

import json
from pathlib import Path

from ...support.sweep_runs import Sweeping


def test_a_stage_without_its_data_is_told_and_noted(tmp_path: Path) -> None:
    project = Sweeping(tmp_path)
    train = {
        "id": "better",
        "use": "llamafactory",
        "with": {"stage": "dpo", "model_name_or_path": "org/model", "template": "qwen"},
    }
    pair = {"instruction": "q", "chosen": "good", "rejected": "bad"}  # which the columns promise
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write(json.dumps(pair) + "\n")
    rows = (tmp_path / "a.jsonl").read_text().splitlines()
    (tmp_path / "a.jsonl").write_text("\n".join(reversed(rows)) + "\n")
    project.write(None, export=[{"use": "llamafactory"}], train=[train], evaluate=[])
    done = project.command("run", "recipe.yaml", "--to", "data")
    assert done.returncode == 1
    assert "error[step-refused]: step 'better' cannot go on: stage 'dpo'" in done.stderr
    assert "pairs (rows with 'chosen' and 'rejected')" in done.stderr
    facts = json.loads((project.out / "run.json").read_text())
    assert facts["status"] == "failed"
    assert (project.out / "toy.json").exists()
