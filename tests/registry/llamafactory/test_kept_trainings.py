"""Trained models stay: through the command, with a small program as LLaMA-Factory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sftrecipe.cli.main import cli
from sftrecipe.plugin.kept_models import NOTE, kept_models

from ...support.plain_runs import Plain

FAKE = Path(__file__).parents[2] / "support" / "fake_llamafactory.py"


class Training(Plain):
    """A project that trains."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.environment = {
            "SFTRECIPE_TRAIN_ENV": f"{sys.executable} {FAKE} -m cli",
            "SFTRECIPE_LANG": "en",
        }
        self.rows(range(6))
        self.write()

    def write(self, *blocks: dict[str, Any], **arguments: Any) -> None:
        """Write the recipe: one train block with these arguments, or several."""
        one = {"model_name_or_path": "org/m", "template": "qwen", **arguments}
        self.recipe(
            export=[{"use": "llamafactory", "with": {"formatting": "alpaca"}}],
            train=[{"use": "llamafactory", **each} for each in blocks]
            or {"use": "llamafactory", "with": one},
        )

    def do(self, *words: str, status: int = 0, **environment: str) -> Result:
        """Run a command in this process."""
        path = [] if words[0] == "gc" else [str(self.folder / "recipe.yaml")]
        place = ["--project", str(self.folder)] if words[0] == "gc" else []
        given = {**self.environment, **environment}
        done = CliRunner(env=given).invoke(
            cli, [words[0], *path, *words[1:], *place], standalone_mode=False
        )
        assert (done.return_value or (1 if done.exception else 0)) == status, done.output
        return done

    def train(self, **environment: str) -> str:
        """Train; what was said."""
        return self.do("train", status=0, **environment).output

    @property
    def trainings(self) -> int:
        """How often the program was started to train."""
        starts = self.out / "starts.jsonl"
        return len(starts.read_text().splitlines()) if starts.exists() else 0

    def model(self, name: str = "model") -> Path:
        """The folder that a link points at."""
        assert (self.out / name).is_symlink()
        return (self.out / name).resolve(strict=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Training:
    monkeypatch.chdir(tmp_path)
    return Training(tmp_path / "project")


def test_a_change_trains_anew_and_going_back_finds_the_old_model(project: Training) -> None:
    project.write(learning_rate=1e-4, lora_rank=8)
    project.train()
    first = project.model()
    project.write(learning_rate=2e-4, lora_alpha=4)
    plan = project.do("plan", "--to", "train").output
    said = project.train()
    for told in (plan, said):
        assert "train: this trains anew, " in told
        assert "learning_rate 0.0001 → 0.0002; lora_alpha 4 is new; lora_rank 8 is gone" in told
        assert f"the model so far stays in {first}, and is found again" in told
    second = project.model()
    assert first.is_dir()
    assert second != first
    project.write(learning_rate=1e-4, lora_rank=8)
    assert "trains anew" not in project.do("plan", "--to", "train").output
    said = project.train()
    assert "trains anew" not in said
    assert (project.trainings, project.model()) == (2, first)
    assert "learning_rate: 0.0001" in (project.out / "train.yaml").read_text()
    run = json.loads((project.out / "run.json").read_bytes())
    assert run["steps"][-1]["notes"]["model"] == f"models/{first.name}/merged"


def test_changed_data_train_anew_and_come_back(project: Training) -> None:
    project.train()
    first = project.model()
    project.rows(range(7))
    plan = project.do("plan", "--to", "train").output
    assert "unless its data come out as they were: step 'rows': a file it reads changed" in plan
    project.train()
    assert project.model() != first
    project.rows(range(6))
    project.train()
    assert (project.trainings, project.model()) == (2, first)


def test_a_chain_goes_back_as_well(project: Training) -> None:
    def chain(rate: float) -> None:
        base = {"template": "qwen", "model_name_or_path": "org/m", "learning_rate": rate}
        on = {"template": "qwen", "model_name_or_path": "trained:first"}
        project.write({"id": "first", "with": base}, {"id": "second", "with": on})

    chain(1e-4)
    project.train()
    before = project.model("model-first"), project.model("model-second")
    chain(2e-4)
    said = project.train()
    assert "second: this trains anew" in said
    assert "the model of training 'first', which it goes on from, is made anew" in said
    now = project.model("model-first"), project.model("model-second")
    assert {*before}.isdisjoint(now)
    chain(1e-4)
    project.train()
    assert project.trainings == 4
    assert (project.model("model-first"), project.model("model-second")) == before


@pytest.mark.parametrize("changed", [False, True])
def test_a_model_of_an_earlier_version_is_taken_over(project: Training, changed: bool) -> None:
    project.train()
    old, link = project.model(), project.out / "model"
    link.unlink()
    old.rename(link)
    note = json.loads((link / NOTE).read_bytes())
    time_ns = (link / NOTE).stat().st_mtime_ns
    (link / NOTE).write_text(
        json.dumps({name: note[name] for name in ("fingerprint", "done", "resumed")})
    )
    os.utime(link / NOTE, ns=(time_ns, time_ns))
    if changed:
        project.write(learning_rate=7e-5)
    project.train()
    assert project.trainings == 1 + changed
    assert (project.model() == old) != changed
    assert (old / "merged" / "model.safetensors").is_file()
    project.write()
    project.train()
    assert (project.trainings, project.model()) == (1 + changed, old)


def test_an_interrupted_training_goes_on_from_its_own_checkpoint_alone(project: Training) -> None:
    project.train()
    first = project.model()
    project.write(learning_rate=2e-4)
    project.do("train", status=1, LLAMAFACTORY_FAKE="stops")
    assert project.model() == first  # as long as no other is whole
    project.write(learning_rate=3e-4)
    project.train()
    project.write(learning_rate=2e-4)
    assert "going on from checkpoint-2" in project.train()
    given = [
        json.loads(line)["given"]
        for line in (project.out / "starts.jsonl").read_text().splitlines()
    ]
    assert [each.get("resume_from_checkpoint", "") for each in given] == [
        *("", "", ""),
        f"models/{project.model().name}/checkpoint-2",
    ]


def test_what_somebody_trained_into_the_folder_by_hand_is_not_taken_for_it(
    project: Training,
) -> None:
    project.train()
    (project.out / "model" / "adapter_model.safetensors").write_text("of another training")
    (project.out / "model" / "merged" / "model.safetensors").unlink()
    project.train()
    assert project.trainings == 2
    assert (project.out / "model" / "adapter_model.safetensors").read_text() == "weights"
    aside = next((project.out / "models").glob("*.by-hand-*"))
    assert (aside / "adapter_model.safetensors").read_text() == "of another training"
    assert aside.name in project.do("gc").output  # named as what stays


def test_gc_frees_what_no_run_uses(project: Training) -> None:
    for rate in (1e-4, 2e-4, 3e-4):
        project.write(learning_rate=rate)
        project.train()
    used = project.model()
    mine = project.out / "models" / "mine"
    mine.mkdir()
    (project.out / "models" / ("0" * 32)).symlink_to(project.folder.parent)
    before = sorted(project.folder.rglob("*"))
    told = project.do("gc").output
    assert told.count("plain/train") >= 2
    assert "nothing was freed" in told
    assert sorted(project.folder.rglob("*")) == before
    found = json.loads(project.do("gc", "--json", "--keep-models", "1").output)
    models = [each for each in found["unused"] if each["kind"] == "model"]
    assert [each["kept"] for each in models].count(True) == 1
    assert not [each for each in found["unused"] if str(used) == each["path"]]
    assert not any(each["kept"] for each in found["unused"] if each["kind"] != "model")
    project.do("gc", "--yes", "--keep-days", "1")
    assert len(list(kept_models(project.out))) == 3
    project.do("gc", "--yes")
    assert [each.folder for each in kept_models(project.out)] == [used]
    assert mine.is_dir()
    assert not list(used.glob("checkpoint-*"))
    project.train()
    assert project.trainings == 3
    assert "nothing lies here" in project.do("gc").output
    project.write(learning_rate=1e-4)
    project.train()  # its model was freed
    assert project.trainings == 4


def test_gc_frees_a_model_that_was_gone_back_from(project: Training) -> None:
    for rate in (1e-4, 2e-4, 1e-4):
        project.write(learning_rate=rate)
        project.train()
    assert project.trainings == 2
    left = {each.key for each in kept_models(project.out)} - {project.model().name}
    assert any(left.pop() in file.read_text("utf-8") for file in project.out.glob("*.yaml"))
    found = json.loads(project.do("gc", "--json").output)["unused"]
    assert [each["kind"] for each in found].count("model") == 1


def test_gc_knows_folders_elsewhere_and_models_that_recipes_name(
    project: Training, tmp_path: Path
) -> None:
    out = ("--out", str(tmp_path / "disk" / "out"))
    project.do("train", *out)
    kept = next(kept_models(tmp_path / "disk" / "out"))
    project.write(learning_rate=2e-4)
    project.do("train", *out)
    (project.folder / "other.yaml").write_text(f"model: ../disk/out/models/{kept.key}/merged\n")
    assert not [
        each
        for each in json.loads(project.do("gc", "--json").output)["unused"]
        if each["kind"] == "model"
    ]
    (project.folder / "other.yaml").unlink()
    project.do("gc", "--yes")
    assert not kept.folder.exists()
    shutil.rmtree(tmp_path / "disk" / "out")
    freed = json.loads(project.do("gc", "--json", "--yes").output)
    assert {each["kind"] for each in freed["unused"]} == {"step"}


def test_two_at_once_do_no_harm(project: Training) -> None:
    process = project.start("train", "recipe.yaml", **project.environment, LLAMAFACTORY_FAKE="slow")
    end = time.monotonic() + 60
    while not project.trainings:
        assert time.monotonic() < end
        time.sleep(0.05)
    before = (project.out / "plain.json").read_bytes()
    project.rows(range(9))
    refused = project.do("train", status=1)
    assert getattr(refused.exception, "problem").slug == "trains-here"  # noqa: B009 - any exception
    assert (project.out / "plain.json").read_bytes() == before
    assert getattr(project.do("gc", "--yes", status=0), "exception") is None  # noqa: B009
    process.kill()
    process.communicate()
    project.rows(range(6))
    assert "going on from checkpoint-" in project.train()


@pytest.mark.parametrize("copier", [shutil.copy, shutil.copy2])
def test_a_copy_that_followed_the_links_is_gone_on_with(
    project: Training, tmp_path: Path, copier: Any
) -> None:
    project.train()
    shutil.copytree(project.folder, tmp_path / "moved", copy_function=copier)
    shutil.rmtree(project.folder)
    there = copy(project)
    there.folder = tmp_path / "moved"
    assert not (there.out / "model").is_symlink()
    there.train()
    assert there.trainings == 1
    assert there.model().parent == there.out / "models"
    assert [each.folder for each in kept_models(there.out)] == [there.model()]
    assert {each.name for each in (there.out / "models").iterdir()} <= {
        *(there.model().name, ".sftrecipe.lock")
    }


def test_a_copy_of_the_link_that_was_changed_is_set_aside(project: Training) -> None:
    project.train()
    kept = project.model()
    (project.out / "model").unlink()
    shutil.copytree(kept, project.out / "model")
    (project.out / "model" / "notes.txt").write_text("mine")
    project.train()
    assert project.model() == kept
    aside = next((project.out / "models").glob("*.copied-*"))
    assert (aside / "notes.txt").read_text() == "mine"
    project.do("gc", "--yes")
    assert aside.is_dir()  # nobody knows what it is


def test_a_configuration_run_by_hand_leaves_the_model_alone(project: Training) -> None:
    project.train()
    config = project.out / "train.yaml"
    weights = project.model() / "adapter_model.safetensors"
    before = weights.stat().st_mtime_ns
    command = [sys.executable, str(FAKE), "-m", "cli", "train", config.name]
    subprocess.run(command, cwd=project.out, check=True, capture_output=True)
    assert weights.stat().st_mtime_ns == before
    assert (project.out / "model.by-hand" / weights.name).is_file()
    project.train()
    assert project.trainings == 2  # by hand alone


def test_gc_frees_what_was_made_of_models_that_are_of_no_use(project: Training) -> None:
    for rate in (1e-4, 2e-4):
        project.write(learning_rate=rate)
        project.train()
    used = project.model()
    [other] = [each.folder for each in kept_models(project.out) if each.folder != used]
    state = project.folder / ".sftrecipe"
    cache = state / "providers" / "gguf"
    cache.mkdir(parents=True)
    made = {"of-used": used, "of-other": other, "of-gone": project.folder / "gone"}
    for name, folder in made.items():
        (cache / name).write_text("weights")
        (cache / f"{name}.json").write_text(json.dumps({"made_of": str(folder / "merged")}))
    (cache / "of-used.0a1b2c3d.part").write_text("half")
    (cache / "mine").write_text("mine")
    (state / "probe-ab12_cde" / "model").mkdir(parents=True)
    (state / "probes").mkdir()
    told = json.loads(project.do("gc", "--json").output)["unused"]
    assert {Path(each["path"]).name for each in told if each["kind"] == "cache"} == {
        *("of-other", "of-gone")
    }
    project.do("gc", "--yes", SFTRECIPE_LANG="zh")
    assert {each.name for each in cache.iterdir()} == {"of-used", "of-used.json", "mine"}
    assert not (state / "probe-ab12_cde").exists()
    assert (state / "probes").is_dir()


def test_an_equal_model_of_another_folder_is_told(project: Training, tmp_path: Path) -> None:
    project.train()
    project.write(learning_rate=2e-4)
    out = ("--out", str(tmp_path / "elsewhere"))
    assert "same settings" not in project.do("plan", "--to", "train", *out).output
    project.write()
    told = f"lies in {project.model()}; `--out {project.out}` uses it"
    assert told in project.do("plan", "--to", "train", *out).output
    assert told in project.do("train", *out).output
    assert "same settings" not in project.do("plan", "--to", "train", *out).output
    project.do("train", "--out", str(project.out))
    assert project.trainings == 1
