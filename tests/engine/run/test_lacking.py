"""A machine that cannot execute all of a recipe: what is told, when, and what still works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sftrecipe.recipe.load import check_recipe
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED,
    PACKAGED_MODELS,
    present_weights,
)

ROWS = [{"instruction": f"Ask {number}?", "output": f"Say {number}."} for number in range(6)]
RECIPE = """\
version: 1
name: lacking
sources: {{rows: {{use: jsonl, path: rows.jsonl}}}}
export: [{{use: llamafactory, with: {{formatting: alpaca, holdout: 2}}}}]
train:
  use: llamafactory
  with: {{stage: sft, model_name_or_path: {base}, template: smollm2, finetuning_type: lora}}
evaluate: [{{id: foreseen, use: loss, on: holdout, with: {{models: {models}}}}}]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine without any training environment."""
    folder = tmp_path / "project"
    (folder / "recipes").mkdir(parents=True)
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    (folder / "recipes" / "rows.jsonl").write_text(text)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(tmp_path / "absent"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(folder))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no llamafactory-cli
    monkeypatch.chdir(tmp_path)
    return folder


def written(project: Path, base: str, models: str = "[tuned, base]", more: str = "") -> Path:
    recipe = project / "recipes" / "lacking.yaml"
    recipe.write_text(RECIPE.format(base=base, models=models) + more)
    return recipe


def said(*words: object) -> subprocess.CompletedProcess[str]:
    """What the command says."""
    command = [sys.executable, "-m", "sftrecipe.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def model_at(folder: Path) -> Path:
    """A folder that looks like a model's."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    return folder


def test_no_environment_is_told_when_it_is_needed(project: Path) -> None:
    if present_weights(PACKAGED_MODELS[PACKAGED]) is None:
        pytest.skip("needs the extra 'embedded'")
    recipe = written(project, "embedded")
    assert said("validate", recipe).returncode == 0
    planned = said("plan", recipe)
    assert planned.returncode == 0
    assert "would end with the data: step 'train': LLaMA-Factory is not found in" in planned.stderr
    to_train = said("plan", recipe, "--to", "train").stderr
    assert "would refuse to begin: step 'train': LLaMA-Factory is not found in" in to_train
    assert "sftrecipe env train" in planned.stderr
    assert "warning" not in said("plan", recipe, "--to", "data").stderr
    for words in (("train",), ("evaluate",), ("run", "--to", "train")):
        refused = said(*words, recipe)
        assert refused.returncode == 2
        assert "error[machine-lacks]" in refused.stderr and "sftrecipe env train" in refused.stderr
        assert f"for the data alone: sftrecipe run {recipe} --to data" in refused.stderr
    assert not (project / "runs").exists() and not (project / ".sftrecipe" / "steps").exists()
    for words in ((), ("--json",)):
        begun = said("run", recipe, *words)
        assert begun.returncode == 1  # the data is there; what was asked is not
        assert "error[data-only]" in begun.stderr and "sftrecipe env train" in begun.stderr
        assert "the same command goes on" in begun.stderr and "--to data" in begun.stderr
        assert "4 rows" in begun.stdout or json.loads(begun.stdout)["data_sets"][0]["rows"] == 4
    made = said("run", recipe, "--to", "data", "--json")
    assert made.returncode == 0 and not json.loads(made.stdout)["fresh"]
    folder = project / "runs" / "lacking"
    assert len(json.loads((folder / "lacking.json").read_text())) == 4
    assert (folder / "train.yaml").exists()


def test_all_that_is_missing_is_told_at_once(project: Path) -> None:
    recipe = written(
        project,
        "org/model",
        "[other]",
        "providers: {other: {use: transformers, model: ../models/other}}\n",
    )
    assert said("validate", recipe).returncode == 0
    refused = said("run", recipe, "--to", "evaluate").stderr
    assert "LLaMA-Factory is not found" in refused
    assert "no such environment" not in refused
    assert f"model '{project / 'models' / 'other'}' is not on this machine" in refused
    assert said("run", recipe, "--to", "data").returncode == 0


def test_an_environment_that_the_recipe_names_is_the_recipes_business(project: Path) -> None:
    named = "providers: {other: {use: transformers, model: org/m, python: /nowhere/env}}\n"
    recipe = written(project, "org/model", "[other]", named)
    refused = said("validate", recipe, "--allow", "python")
    assert refused.returncode == 2
    assert "python '/nowhere/env' does not exist" in refused.stderr


@pytest.mark.parametrize("cwd", ["project", "project/recipes", "."])
def test_models_are_seen_from_the_recipes_file(
    project: Path, cwd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_at(project / "runs" / "warm" / "model" / "merged")
    beside = model_at(project / "recipes" / "models" / "tiny")
    scorer = "providers: {scorer: {use: transformers, model: ../runs/warm/model/merged}}\n"
    recipe = written(project, "models/tiny", "[base, scorer]", scorer)
    monkeypatch.chdir(project.parent / cwd)
    found = check_recipe(Path(recipe)).providers
    assert found["scorer"].plugin.model == str(model)  # type: ignore[attr-defined]
    assert found["base"].plugin.model == str(beside)  # type: ignore[attr-defined]


def test_a_preset_names_models_seen_from_itself(project: Path) -> None:
    model = model_at(project / "recipes" / "presets" / "scorer" / "model")
    preset = project / "recipes" / "presets" / "scorer.yaml"
    written_in_it = "{use: transformers, model: ./scorer/model}"
    preset.write_text(f"version: 1\nproviders: {{scorer: {written_in_it}}}\n")
    recipe = written(project, "org/m", "[scorer]", "extends: presets/scorer.yaml\n")
    assert check_recipe(recipe).providers["scorer"].plugin.model == str(model)  # type: ignore[attr-defined]


@pytest.mark.parametrize("base", ["../models/tiny", "models/tiny", "./models/tiny"])
def test_the_training_starts_from_the_same_folder(project: Path, base: str) -> None:
    outside = base.startswith("../")
    model = model_at(project / base.removeprefix("../") if outside else project / "recipes" / base)
    assert said("run", written(project, base), "--to", "data").returncode == 0
    config = (project / "runs" / "lacking" / "train.yaml").read_text()
    assert f"model_name_or_path: {model}\n" in config


def test_a_finished_run_needs_no_machine(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the store is not executed, and so nothing is asked of the machine."""
    recipe = written(
        project, "org/m", "[other]", "providers: {other: {use: vllm, model: m, serve: {}}}\n"
    )
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", str(project / "absent"))
    assert said("validate", recipe).returncode == 0
    assert "vLLM" in said("plan", recipe).stderr or sys.platform != "linux"
    assert said("run", recipe, "--to", "data").returncode == 0
    again = said("run", recipe, "--to", "data", "--json")
    assert (again.returncode, json.loads(again.stdout)["fresh"]) == (0, False)
