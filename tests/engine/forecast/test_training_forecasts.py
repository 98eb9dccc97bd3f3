"""`plan` and `train --check` tell what a training will take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.plain_runs import Plain

NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "SFTRECIPE_TRAIN_ENV": "nowhere"}
ARGUMENTS = {
    "model_name_or_path": "./model",
    "template": "smollm2",
    "per_device_train_batch_size": 2,
    "num_train_epochs": 2,
    "cutoff_len": 64,
    "use_cpu": True,
}
MODEL = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "vocab_size": 1000,
}


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    plain = Plain(tmp_path)
    rows = ({"instruction": f"Say {n}", "output": "one two three"} for n in range(10))
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    write_model(tmp_path, **MODEL)
    return plain


def write_model(folder: Path, **config: int) -> None:
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "config.json").write_text(json.dumps(config))


def write_recipe(project: Plain, **arguments: Any) -> None:
    project.recipe(
        export=[{"use": "llamafactory"}],
        train={"use": "llamafactory", "with": {**ARGUMENTS, **arguments}},
    )


def told(project: Plain, *words: str, status: int = 0, **variables: str) -> str:
    process = project.start(*words, **NO_GPU, **variables)
    out, error = process.communicate(timeout=60)
    assert process.returncode == status, error + out
    return out


def test_a_training_is_foreseen_before_its_data_and_closer_after(project: Plain) -> None:
    write_recipe(project)
    planned = json.loads(told(project, "plan", "recipe.yaml", "--to", "train", "--json"))
    before = planned["trainings"]["train"]
    assert (before["rows"], before["steps"], before["epochs"]) == (10, 10, 2.0)
    assert (before["lengths"], before["tokens_a_step"], before["tokens"]) == ("cutoff", 128, 1280)
    assert (before["shape"], before["device"], before["seconds"]) == ("config", "CPU", None)
    assert before["memory"]["peak"] < before["device_memory"]
    project.run("recipe.yaml", "--to", "data")
    planned = json.loads(told(project, "plan", "recipe.yaml", "--to", "train", "--json"))
    after = planned["trainings"]["train"]
    assert after["lengths"] == "sample"
    assert after["tokens"] < before["tokens"]


def test_too_much_is_told_with_what_fits(project: Plain) -> None:
    write_model(project.folder, **{**MODEL, "vocab_size": 500_000})
    write_recipe(project, per_device_train_batch_size=4000)
    project.run("recipe.yaml", "--to", "data")
    found = json.loads(told(project, "train", "recipe.yaml", "--check", "--json", status=1))
    wrong = next(each for each in found if each["check"] == "memory")
    assert wrong["state"] == "fault"
    assert "per_device_train_batch_size: 1" in wrong["advice"]
    forecast = next(each for each in found if each["state"] == "forecast")["forecast"]
    assert forecast["memory"]["peak"] > forecast["device_memory"]
    assert forecast["fits"]
    assert all(each["peak"] < forecast["device_memory"] for each in forecast["fits"])


def test_a_model_that_is_not_here_is_sized_by_its_name_roughly(project: Plain) -> None:
    write_recipe(project, model_name_or_path="some/model-7B")
    text = told(project, "plan", "recipe.yaml", "--to", "train", SFTRECIPE_LANG="zh")
    assert "非常粗略" in text
    assert "共 10 步" in text
    assert "本机没有 'some/model-7B'" in text
