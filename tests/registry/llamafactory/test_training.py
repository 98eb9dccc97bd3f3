"""Trainings begun, gone on with, found done and judged, with a small program as LLaMA-Factory."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context, PluginRefused
from sftrecipe.plugin import Trained, Training, TrainingState
from sftrecipe.plugin.kept_models import kept_models
from sftrecipe.run.steps.current_model import point_at, shown_model
from sftrecipe.testing import RowList, plain_files
from sftrecipe_registry.llamafactory.arguments import current_table
from sftrecipe_registry.llamafactory.arguments.table import shipped
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.llamafactory.training.merge import _OF_THE_MODEL
from sftrecipe_registry.llamafactory.training.program_log import ProgramLog
from sftrecipe_registry.llamafactory.training.watch import TrainingWatch
from sftrecipe_registry.shared.processes.process_group import Process, members

from ...support.exports import export

FAKE = Path(__file__).parents[2] / "support" / "fake_llamafactory.py"
REPOSITORY = Path(__file__).parents[3]
BASE = {"model_name_or_path": "m", "template": "qwen"}
ENGINE = """
import asyncio, signal, sys
from pathlib import Path
# As a terminal's processes have it: one that is started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.registry.llamafactory.test_training import BASE, prepared
from sftrecipe_registry.llamafactory.arguments import current_table
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
current_table.training_site_packages = lambda: None
training = prepared(Path(sys.argv[1]))
trainer = LlamaFactory.model_validate(BASE)
asyncio.run(trainer.train(training, trainer.write_config(training)))
"""


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment whose python is the small program."""
    venv = tmp_path / "venv"
    package = venv / "lib" / "python3.11" / "site-packages" / "llamafactory" / "__init__.py"
    python = venv / "bin" / "python"
    for file in (package, python):
        file.parent.mkdir(parents=True)
    package.touch()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(venv))
    monkeypatch.setattr(current_table, "training_site_packages", lambda: None)
    current_table.argument_table.cache_clear()
    yield
    current_table.argument_table.cache_clear()


def prepared(folder: Path, rows: int = 4, **more: Any) -> Training:
    folder.mkdir(exist_ok=True)
    asked = RowList.of(*({"instruction": f"q{n}", "output": f"a{n}"} for n in range(rows)))
    made = export("llamafactory", asked, folder)
    return Training(made.sets, folder, Context("train", seed=7), plain_files(folder), **more)


def train(training: Training, **arguments: Any) -> Trained:
    trainer = LlamaFactory.model_validate({**BASE, **arguments})
    trained = asyncio.run(trainer.train(training, trainer.write_config(training)))
    point_at(trained.model, training.folder, print)  # as the engine does
    return trained


def begun(folder: Path) -> Path:
    """The folder of the training that was begun there, as long as there is one."""
    found = list(kept_models(folder))
    return found[0].folder if len(found) == 1 else folder / "none"


def is_saved(folder: Path, step: int) -> bool:
    """Whether the checkpoint of a step is whole."""
    return (begun(folder) / f"checkpoint-{step}" / "trainer_state.json").exists()


def starts(folder: Path) -> list[dict[str, Any]]:
    """What the program was given and saw, start by start."""
    lines = (folder / "starts.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def refused(training: Training, **arguments: Any) -> str:
    with pytest.raises(PluginRefused) as refusal:
        train(training, **arguments)
    return str(refusal.value)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda mode: monkeypatch.setenv("LLAMAFACTORY_FAKE", mode)


def test_it_trains_merges_and_tells(tmp_path: Path) -> None:
    told, said = [], []
    run = tmp_path / "run"
    trained = train(prepared(run, tell=told.append, say=said.append))
    assert trained.model == begun(run) / "merged"
    assert shown_model(trained.model, run) == run / "model" / "merged"
    assert (trained.model / "model.safetensors").read_text() == f"models/{begun(run).name}"
    assert trained.metrics == {"train_loss": 0.5, "eval_loss": 0.25}
    assert trained.losses[:2] == ((1, 1.0), (2, 0.5))
    assert trained.held_out_losses == ((6, 0.25),)
    states = [each for each in told if isinstance(each, TrainingState)]
    assert [(state.step, state.steps) for state in states] == [(n, 6) for n in range(1, 7)]
    assert [each.doing for each in told if each not in states] == ["starting", "merging"]
    assert said == [f"starting LLaMA-Factory; its log: {run / 'train.log'}"]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = train(prepared(run))
    assert train(prepared(run)) == first
    assert len(starts(run)) == 1
    (run / "model" / "merged" / "model.safetensors").unlink()
    assert train(prepared(run)) == first
    assert len(starts(run)) == 1


@pytest.mark.parametrize("change", ["arguments", "data", "weights", "base"])
def test_what_changed_is_trained_anew(tmp_path: Path, change: str) -> None:
    run, base = tmp_path / "run", tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    train(prepared(run), model_name_or_path=str(base))
    before = (run / "model").resolve()
    if change == "weights":
        (run / "model" / "adapter_model.safetensors").unlink()
    if change == "base":
        (base / "config.json").write_text('{"a": 1}')
    more = {"lora_rank": 3} if change == "arguments" else {}
    train(prepared(run, rows=5 if change == "data" else 4), model_name_or_path=str(base), **more)
    again = starts(run)[1]["given"]
    now = (run / "model").resolve()
    if change == "weights":  # the same training: its last checkpoint stands
        assert again["resume_from_checkpoint"] == f"models/{now.name}/checkpoint-6"
        assert now == before
    else:
        assert again == {"output_dir": f"models/{now.name}"}
        assert now != before
        assert (before / "merged" / "model.safetensors").is_file()
        if change == "base":
            (base / "config.json").write_text("{}")
        train(prepared(run), model_name_or_path=str(base))  # back again
        assert len(starts(run)) == 2
        assert (run / "model").resolve() == before


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    training = prepared(tmp_path / "run")
    theirs = training.folder / "model" / "checkpoint-9" / "weights"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("precious")
    assert "holds files that no training of this recipe left (checkpoint-9)" in refused(training)
    assert theirs.read_text() == "precious"
    assert not (training.folder / "starts.jsonl").exists()
    (training.folder / "model").rename(training.folder / "theirs")
    train(training, resume_from_checkpoint="theirs/checkpoint-9")
    assert (training.folder / "theirs" / "checkpoint-9" / "weights").read_text() == "precious"
    assert starts(training.folder)[0]["given"]["resume_from_checkpoint"] == "theirs/checkpoint-9"


def test_a_folder_that_a_link_leads_out_of_is_refused(tmp_path: Path) -> None:
    training = prepared(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (training.folder / "model").symlink_to(tmp_path / "elsewhere")
    assert "leads out of the run's folder" in refused(training)


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("nothing", "ended well and trained nothing"),
        ("evaluates", "ended well and trained nothing"),
        ("fails", "failed (exit status 1): ValueError: the data set is empty; its log: "),
        ("killed", "failed (SIGKILL: killed from outside, mostly because memory ran out"),
    ],
)
def test_a_failure_is_told_in_its_own_words(
    tmp_path: Path, fails: Any, mode: str, told: str
) -> None:
    training = prepared(tmp_path / "run")
    fails(mode)
    message = refused(training)
    assert told in message
    assert "Traceback" not in message
    assert str(training.folder / "train.log") in message
    fails("")
    assert train(training).metrics["train_loss"] == 0.5


def test_an_abort_after_everything_is_written_is_no_failure(tmp_path: Path, fails: Any) -> None:
    said: list[str] = []
    fails("crashes")
    assert train(prepared(tmp_path / "run", say=said.append)).metrics["train_loss"] == 0.5
    assert any("ended with SIGABRT after it had written everything" in line for line in said)


def test_it_goes_on_from_the_last_whole_checkpoint(tmp_path: Path, fails: Any) -> None:
    training = prepared(tmp_path / "run")
    fails("stops")
    assert "RuntimeError: stopped" in refused(training)
    fails("")
    told: list[Any] = []
    trained = train(replace(training, tell=told.append))
    here = f"models/{begun(training.folder).name}"
    assert starts(training.folder)[1]["given"] == {
        "output_dir": here,
        "resume_from_checkpoint": f"{here}/checkpoint-2",
        "overwrite_output_dir": "false",
    }
    states = [each for each in told if isinstance(each, TrainingState)]
    assert [state.step for state in states] == [3, 4, 5, 6]
    assert [state.resumed_from for state in states] == [2, None, None, None]
    assert [step for step, _ in trained.losses] == [1, 2, 3, 4, 5, 6]
    assert trained.metrics["train_loss"] == pytest.approx(sum(1 / n for n in range(1, 7)) / 6)
    # Of a run that ends before the model is noted, the same is told.
    assert train(training).metrics == trained.metrics


def test_a_reward_model_starts_over(tmp_path: Path, fails: Any) -> None:
    training = prepared(tmp_path / "run")
    fails("stops")
    arguments = {"stage": "rm", "dataset": "demo", "finetuning_type": "full"}
    refused(training, **arguments)
    refused(training, **arguments)
    assert starts(training.folder)[1]["given"].keys() == {"output_dir"}


def test_a_half_written_merge_is_made_again(tmp_path: Path, fails: Any) -> None:
    training = prepared(tmp_path / "run")
    fails("half")
    message = refused(training)
    assert "could not merge the adapter (exit status 1): RuntimeError: no space left" in message
    assert str(training.folder / "merge.log") in message
    assert not (begun(training.folder) / "merged").exists()
    fails("")
    train(training)
    assert len(starts(training.folder)) == 1
    assert not (training.folder / "model" / "merged.unfinished").exists()


SECRETS = (
    *("OPENAI_API_KEY", "QIANFAN_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"),
    *("NVIDIA_API_KEY", "HF_TOKEN", "HUGGINGFACE_API_KEY", "HUGGING_FACE_HUB_TOKEN", "HF_X"),
    *("MODELSCOPE_API_TOKEN", "OM_HUB_TOKEN", "DS_API_KEY", "RAY_AUTH_TOKEN", "CUDA_TOKEN"),
    *("COMET_API_KEY", "WANDB_API_KEY", "WANDB_SECRET", "MLFLOW_TRACKING_TOKEN", "SWANLAB_API_KEY"),
    *("XDG_SESSION_ID", "USE_SECRET", "ANYTHING", "PYTHONPATH", "LLAMAFACTORY_API_KEY"),
)


@pytest.mark.parametrize(
    ("tracker", "handed"),
    [
        ("none", set()),
        ("tensorboard", set()),
        ("wandb", {"WANDB_API_KEY"}),
        (["swanlab", "mlflow"], {"SWANLAB_API_KEY", "MLFLOW_TRACKING_TOKEN"}),
        ("openai", set()),
        (["all", "aws", "anything"], set()),
    ],
)
def test_it_gets_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: str | list[str], handed: set[str]
) -> None:
    launcher = {"FORCE_TORCHRUN": "1", "NNODES": "2", "NODE_RANK": "1", "NPROC_PER_NODE": "4"}
    launcher |= {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500", "NCCL_DEBUG": "INFO"}
    needed = {**launcher, "CUDA_VISIBLE_DEVICES": "3", "https_proxy": "p", "HF_HOME": "/h"}
    for name, value in {**needed, **dict.fromkeys(SECRETS, "k")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    train(prepared(tmp_path / "run"), report_to=tracker)
    seen = starts(tmp_path / "run")[0]["variables"]
    assert {*SECRETS} & {*seen} == handed
    assert needed.items() <= seen.items()
    assert seen["PATH"].startswith(str(tmp_path / "venv" / "bin"))
    if not Path("/dev/nvidiactl").exists():
        assert seen["OMP_NUM_THREADS"] == "1"


def test_it_gets_a_hubs_token_with_the_users_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "h")
    training = replace(prepared(tmp_path / "run"), allowed=frozenset({"HF_TOKEN"}))
    train(training)
    assert starts(tmp_path / "run")[0]["variables"]["HF_TOKEN"] == "h"


def test_without_an_environment_it_is_told_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", "")
    assert "sftrecipe env train" in refused(prepared(tmp_path / "run"))


def test_the_made_environment_and_a_whole_command_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "data" / "sftrecipe" / "envs" / "train"
    venv.parent.mkdir(parents=True)
    (tmp_path / "venv").rename(venv)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("SFTRECIPE_TRAIN_ENV")
    monkeypatch.setattr("shutil.which", lambda name: None)
    training = prepared(tmp_path / "run")
    assert "is not found" in refused(training)  # it was not made to its end
    (venv / ".complete").touch()
    assert train(training).metrics["train_loss"] == 0.5
    monkeypatch.undo()
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", f"{sys.executable} {FAKE} -m cli")
    monkeypatch.setattr(current_table, "training_site_packages", lambda: None)
    assert train(prepared(tmp_path / "other")).metrics["train_loss"] == 0.5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(venv.relative_to(tmp_path)))
    assert train(prepared(tmp_path / "third")).metrics["train_loss"] == 0.5


async def test_a_cancelled_training_leaves_no_process(tmp_path: Path, fails: Any) -> None:
    fails("slow")
    training = prepared(tmp_path / "run")
    trainer = LlamaFactory.model_validate(BASE)
    task = asyncio.create_task(trainer.train(training, trainer.write_config(training)))
    await asyncio.to_thread(until, partial(is_saved, training.folder, 2))
    processes = noted(training.folder)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(processes) >= 1
    assert not [process for process in processes if process.lives()]
    assert not list(training.folder.glob("*.server.json"))
    fails("")
    await trainer.train(training, training.folder / "train.yaml")
    assert "resume_from_checkpoint" in starts(training.folder)[1]["given"]


def noted(folder: Path) -> list[Process]:
    """The trainer's processes: its own, its worker's and its keeper's."""
    note = json.loads((folder / "train.server.json").read_text())
    group = note["processes"][0][0]
    return [*members(group), Process(*note["keeper"])]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_engine_leaves_no_process(tmp_path: Path, fails: Any, number: int) -> None:
    fails("slow")
    run = tmp_path / "run"
    engine = started(run)
    until(partial(is_saved, run, 2))
    processes = noted(run)
    assert len(processes) == 3
    engine.send_signal(number)
    engine.communicate()
    until(lambda: not any(process.lives() for process in processes))
    fails("")
    train(prepared(run))
    assert "resume_from_checkpoint" in starts(run)[1]["given"]


def test_what_a_killed_engine_and_keeper_left_is_ended_first(tmp_path: Path, fails: Any) -> None:
    fails("slow")
    run = tmp_path / "run"
    engine = started(run)
    until(partial(is_saved, run, 1))
    *processes, keeper = noted(run)
    assert "trains in" in refused(prepared(run))  # while it works, it is not disturbed
    os.kill(keeper.pid, signal.SIGKILL)
    engine.kill()
    engine.communicate()
    assert processes[0].lives()
    fails("")
    said: list[str] = []
    train(prepared(run, say=said.append))
    assert said[0].startswith("stopped a server that a killed run left")
    assert not any(process.lives() for process in processes[:1])


def started(run: Path) -> subprocess.Popen[bytes]:
    """An engine of its own that trains."""
    command = [sys.executable, "-c", ENGINE, str(run)]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)


def until(true: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_it_does_between_its_steps_is_told(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    program = ProgramLog(log)
    lines = {
        "[INFO|configuration_utils.py:847] Model config LlamaConfig {\n": "starting",
        "Converting format of dataset:  50%|##   | 18/36 [00:00<?, ? examples/s]\r": (
            "reading", 18, 36
        ),
        "Running tokenizer on dataset:  15%|#    | 3000/20000 [00:01<00:09]": (
            "tokenising", 3000, 20000
        ),
        "\nLoading weights:   0%|          | 1/272 [00:00<01:39,  2.72it/s]\r": "loading",
        "\n***** Running training *****\n  Total optimization steps = 1,000\n": "training",
        " 12%|#    | 120/1000 [04:36<33:44,  2.30s/it]": "training",
        "[INFO|trainer.py:2668] >> \n***** Running Evaluation *****\n": "evaluating",
        "  0%|     | 3/10 [00:00<?, ?it/s]\x1b[A": ("evaluating", 3, 10),
        "\r 12%|#    | 120/1000 [04:40<33:44,  2.30s/it]": ("evaluating", 3, 10),
        "\n[INFO|trainer.py] >> Saving model checkpoint to models/0/checkpoint-120\n": "saving",
        "[INFO] >> tokenizer config file saved in models/0/c\n": "training",
        "\r 12%|#    | 121/1000 [04:42<33:44,  2.30s/it]": "training",
    }  # fmt: skip
    for line, told in lines.items():
        with log.open("a") as file:
            file.write(line)
        program.look()
        expected = (told, None, None) if isinstance(told, str) else told
        assert program.phase[:3] == expected, line
    assert (program.step, program.steps) == (121, 1000)


def test_steps_are_told_with_their_pace(tmp_path: Path) -> None:
    told: list[Any] = []
    training = replace(prepared(tmp_path / "run"), tell=told.append)
    log, folder = tmp_path / "train.log", tmp_path / "model"
    folder.mkdir()
    watch = TrainingWatch(training, folder, log, 100)
    watch.look(0.0)
    log.write_text("***** Running training *****\n  Total optimization steps = 1,000\n")
    watch.look(20.0)
    line = {"current_steps": 120, "total_steps": 1000, "loss": 1.84, "epoch": 0.36}
    (folder / "trainer_log.jsonl").write_text(json.dumps(line) + "\n")
    watch.look(66.0)
    watch.look(70.0)
    watch.look(90.0)
    assert [each.doing for each in told[:2]] == ["starting", "training"]
    expected = TrainingState(120, 1000, 1.84, 0.36, 2.3, 2024.0, 100)
    assert told[2] == pytest.approx(expected)
    assert told[3:] == [told[2]._replace(resumed_from=None)]


def test_what_it_does_is_told_with_how_long_it_does_that(tmp_path: Path) -> None:
    told: list[Any] = []
    training = replace(prepared(tmp_path / "run"), tell=told.append)
    log = tmp_path / "train.log"
    watch = TrainingWatch(training, tmp_path, log, None)
    watch.look(0.0)
    log.write_text("Loading weights:   0%|          | 1/272\n")
    for seconds in (30.0, 45.0):
        watch.look(seconds)
    assert [(each.doing, each.seconds) for each in told] == [
        ("starting", 0.0),
        ("loading", 0.0),
        ("loading", 15.0),
    ]


def test_the_merge_is_told_only_what_export_takes() -> None:
    groups = {name: argument.group for name, argument in shipped().arguments.items()}
    assert {groups.get(name) for name in _OF_THE_MODEL} == {"model", "data", "finetuning"}


def test_qlora_is_merged_into_the_model_as_it_was_before(tmp_path: Path) -> None:
    training = prepared(tmp_path / "run")
    (tmp_path / "run" / "first").mkdir()
    train(
        training,
        quantization_bit=4,
        use_unsloth=True,
        adapter_name_or_path="first",
        create_new_adapter=True,
        lora_rank=8,
        trust_remote_code=True,
    )
    here = f"models/{begun(training.folder).name}"
    assert (training.folder / "merge.yaml").read_text() == (
        "model_name_or_path: m\ntrust_remote_code: true\ntemplate: qwen\n"
        f"adapter_name_or_path: first,{here}\nexport_dir: {here}/merged.unfinished\n"
    )
