"""A stranger's `train` block through the real commands: refused, until the user says the word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FAKE = Path(__file__).parents[1] / "support" / "fake_llamafactory.py"
HEAD = """\
version: 1
name: t
sources:
  s: {use: jsonl, path: a.jsonl}
export:
  - {use: llamafactory, with: {holdout: 1}}
"""
TRAIN = (
    "train: {{use: llamafactory, with: {{model_name_or_path: {model}, template: qwen, {more}}}}}\n"
)
JUDGE = "evaluate:\n  - {id: foreseen, use: loss, on: holdout, with: {models: [tuned, base]}}\n"
OF_EACH_CLASS = {
    "trust_remote_code": "trust_remote_code: true",
    "push_to_hub": "push_to_hub: true",
    "hub_token": "hub_token: hf_x",
    "deepspeed": "deepspeed: /etc/passwd",
    "report_to": "report_to: [wandb]",
    "accelerator_config": "accelerator_config: {plugin: x}",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    # The words of Python, so that the program in its place is started by another.
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", f"{sys.executable} {FAKE} -m llamafactory.cli")
    inside = tmp_path / "stranger"
    inside.mkdir()
    (inside / ".sftrecipe").mkdir()
    rows = [{"instruction": f"Ask {number}?", "output": f"Say {number}."} for number in range(6)]
    (inside / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return inside


def recipe(
    folder: Path,
    more: str,
    rest: str = "",
    name: str = "recipe.yaml",
    model: str = "org/model",
) -> Path:
    path = folder / name
    path.write_text(HEAD + TRAIN.format(model=model, more=more) + rest)
    return path


def said(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sftrecipe.cli.main", *map(str, words)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def refused(folder: Path, *words: object) -> str:
    """What the command says when it lacks the user's word."""
    done = said(folder, *words)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "ok" not in done.stdout.split()
    assert "needs-permission" in done.stderr
    assert not (folder / "runs").exists()
    return done.stderr


@pytest.mark.parametrize("word", OF_EACH_CLASS)
def test_every_class_needs_the_word_which_is_said_once(folder: Path, word: str) -> None:
    path = recipe(folder, OF_EACH_CLASS[word])
    assert f"--allow {word}\n" in refused(folder, "validate", path)
    assert "--allow nothing" not in refused(folder, "validate", path, "--allow", "nothing")
    assert said(folder, "validate", path, "--allow", word).returncode == 0
    assert said(folder, "validate", path).returncode == 0


@pytest.mark.parametrize(
    "words", [("validate",), ("plan",), ("run",), ("train",), ("train", "--check"), ("evaluate",)]
)
def test_every_command_refuses(folder: Path, words: tuple[str, ...]) -> None:
    path = recipe(folder, "trust_remote_code: true, use_cpu: true", JUDGE)
    refused(folder, words[0], path, *words[1:])


def test_a_sweep_cannot_bring_it(folder: Path) -> None:
    path = recipe(
        folder,
        "lora_rank: 4",
        JUDGE
        + "sweep: {over: {train.with.deepspeed: [/etc/passwd, null]}, "
        + "metric: foreseen.tuned_loss, goal: lower}\n",
    )
    assert "--allow deepspeed" in refused(folder, "sweep", path)
    assert "--allow deepspeed" in refused(folder, "validate", path)


def test_a_profile_variables_and_extends_cannot_bring_it(folder: Path) -> None:
    code = "{trust_remote_code: true}"
    by_profile = recipe(folder, "lora_rank: 4", f"profiles: {{p: {{train: {{with: {code}}}}}}}\n")
    assert "--allow trust_remote_code" in refused(folder, "validate", by_profile)
    refused(folder, "run", by_profile, "--profile", "p")
    by_variable = recipe(folder, 'deepspeed: "${vars.d}"', "vars: {d: /etc/passwd}\n", "v.yaml")
    assert "'deepspeed: /etc/passwd'" in refused(folder, "plan", by_variable)
    recipe(folder, "push_to_hub: true", name="base.yaml")
    (folder / "e.yaml").write_text("extends: base.yaml\nname: e\n")
    assert "base.yaml:7" in refused(folder, "run", folder / "e.yaml")


def test_a_word_holds_for_this_recipe_and_this_value(folder: Path, tmp_path: Path) -> None:
    path = recipe(folder, "hub_model_id: me/mine, push_to_hub: true")
    words = ("--allow", "hub_model_id", "--allow", "push_to_hub")
    assert said(folder, "validate", path, *words).returncode == 0
    recipe(folder, "hub_model_id: stranger/yours, push_to_hub: true")
    assert "--allow push_to_hub" not in refused(folder, "validate", path)
    other = recipe(folder, "hub_model_id: me/mine", name="other.yaml")
    refused(folder, "validate", other)
    settings = tmp_path / "config" / "sftrecipe" / "allowed.json"
    settings.write_text(json.dumps({"*": ["hub_model_id"]}))
    assert said(folder, "validate", other).returncode == 0
    settings.write_text("no JSON")
    refused(folder, "validate", other)


def test_what_is_no_tracker_is_refused_whatever_the_user_says(folder: Path) -> None:
    for name in ("all", "openai", "[aws, github]"):
        done = said(
            folder, "validate", recipe(folder, f"report_to: {name}"), "--allow", "report_to"
        )
        assert done.returncode == 2
        assert "which is no known tracker" in done.stderr


def test_a_link_in_the_output_folder_is_found_before_the_training(folder: Path) -> None:
    path = recipe(folder, "resume_from_checkpoint: point, use_cpu: true")
    out = folder / "runs" / "t"
    out.mkdir(parents=True)
    (out / "point").symlink_to("/etc")
    done = said(folder, "run", path)
    assert done.returncode == 1, done.stderr
    assert "--allow resume_from_checkpoint" in done.stderr
    assert not (out / "train.yaml").exists()


def test_the_trainer_gets_no_keys_through_the_whole_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"OPENAI_API_KEY": "sk-1", "AWS_SECRET_ACCESS_KEY": "2", "WANDB_API_KEY": "3"}
    for name, value in {**secrets, "HF_TOKEN": "hf"}.items():
        monkeypatch.setenv(name, value)
    path = recipe(folder, "report_to: wandb, output_dir: trained")
    done = said(folder, "train", path, "--allow", "report_to")
    starts = (folder / "runs" / "t" / "starts.jsonl").read_text().splitlines()
    seen = json.loads(starts[0])["variables"]
    assert {*secrets, "HF_TOKEN"} & seen.keys() == {"WANDB_API_KEY"}, done.stderr
    recipe(folder, "output_dir: trained, lora_rank: 4")
    said(folder, "train", path, "--allow", "HF_TOKEN")
    starts = (folder / "runs" / "t" / "starts.jsonl").read_text().splitlines()
    seen = json.loads(starts[-1])["variables"]
    assert {*secrets, "HF_TOKEN"} & seen.keys() == {"HF_TOKEN"}


@pytest.mark.parametrize("model", ["/no/such/model", "./models/no", "~/no/such/model"])
def test_a_model_that_nothing_makes_is_told(folder: Path, model: str) -> None:
    path = recipe(folder, "use_cpu: true", model=model)
    done = said(folder, "run", path, "--to", "data")
    assert done.returncode == 0, done.stderr
    done = said(folder, "train", path, "--check")
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "does not exist" in done.stdout
    assert "not trained yet" not in done.stdout


def test_the_files_of_the_settings_are_looked_into(folder: Path) -> None:
    (folder / "ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    path = recipe(folder, "deepspeed: ds.json")
    assert said(folder, "validate", path).returncode == 0
    (folder / "ds.json").write_text('{"wandb": {"enabled": true, "host": "https://x"}}')
    assert "deepspeed.wandb" in refused(folder, "validate", path)
    (folder / "ds.json").unlink()
    os.mkfifo(folder / "ds.json")
    refused(folder, "validate", path)
