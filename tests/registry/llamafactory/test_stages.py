"""The real LLaMA-Factory trains every stage, is interrupted, and fails; what it leaves can be used.

It is imported once for all of them (warm_llamafactory.py), and by itself where it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context, PluginRefused
from sftrecipe.plugin import DataSet, Trained, Training
from sftrecipe.run.steps.current_model import point_at, shown_model
from sftrecipe.testing import RowList, plain_files
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.shared.processes.process_group import Process, members

from ...support.exports import export
from ...support.tiny_llama import make
from ...support.training_environment import ABSENT, training_process_environment, training_python

pytestmark = pytest.mark.heavy

WARM = Path(__file__).with_name("warm_llamafactory.py")
REPOSITORY = Path(__file__).parents[3]
TEN_STEPS = {
    **{"template": "smollm2", "max_steps": 10, "per_device_train_batch_size": 2},
    **{"cutoff_len": 64, "use_cpu": True, "learning_rate": 1e-3, "lora_rank": 4},
}
LONG = {**TEN_STEPS, "max_steps": 100, "save_steps": 5, "logging_steps": 1}
ENGINE = """
import asyncio, json, signal, sys
from pathlib import Path
# As a terminal's processes have it: one that is started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.registry.llamafactory.test_stages import exported
from sftrecipe import Context
from sftrecipe.plugin import Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
folder = Path(sys.argv[1])
training = Training(exported(folder), folder, Context("train", seed=7), plain_files(folder))
trainer = LlamaFactory.model_validate(json.loads(sys.argv[2]))
asyncio.run(trainer.train(training, trainer.write_config(training)))
"""
# The merged model writes what base and adapter do; the value head tells rewards apart.
LOOK = """
import json, sys, torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
base, sft, rm = sys.argv[1:]
def logits(model, tokens):
    with torch.no_grad():
        return model(tokens, output_hidden_states=True)
merged = AutoModelForCausalLM.from_pretrained(sft + "/merged", dtype=torch.float32)
adapted = PeftModel.from_pretrained(
    AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), sft)
tokenizer = AutoTokenizer.from_pretrained(sft + "/merged")
turns = [{"role": "user", "content": "question 3"}]
tokens = tokenizer.apply_chat_template(turns, return_tensors="pt", return_dict=True)["input_ids"]
untrained = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
one, other = logits(merged, tokens).logits, logits(adapted, tokens).logits
head = load_file(rm + "/value_head.safetensors")
rated = AutoModelForCausalLM.from_pretrained(rm, dtype=torch.float32)
def reward(text):
    last = logits(rated, tokenizer(text, return_tensors="pt")["input_ids"]).hidden_states[-1]
    return float(last[0, -1] @ head["v_head.summary.weight"][0] + head["v_head.summary.bias"][0])
print(json.dumps({
    "apart": float((one - other).abs().max()),
    "learned": float((one - logits(untrained, tokens).logits).abs().max()),
    "rewards": [reward("good answer 1"), reward("bad answer 1")],
}))
"""


JUDGED = """\
version: 1
name: judged
providers: {rm: {use: transformers, model: ./model-rm/merged}}
sources: {pairs: {use: jsonl, path: pairs.jsonl}}
export: [{use: jsonl}]
evaluate: [{use: reward, on: pairs, with: {models: [rm]}}]
"""


@pytest.fixture(scope="module")
def python() -> Path:
    found = training_python()
    if found is None:
        pytest.skip(ABSENT)
    return found


@pytest.fixture(scope="module")
def warm(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command that has LLaMA-Factory imported already."""
    path = tmp_path_factory.mktemp("warm") / "socket"
    command = [str(python), str(WARM), str(path)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, env=training_process_environment(), text=True
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    yield " ".join(command)
    server.kill()
    server.communicate()


@pytest.fixture
def real(warm: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", warm)
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run's folder, for the stages that go on from one another."""
    return tmp_path_factory.mktemp("run")


def exported(folder: Path) -> list[DataSet]:
    """Data of every kind, as one recipe with four exports would leave it."""
    numbers = range(40)
    asked = [{"instruction": f"question {n}"} for n in numbers]
    rows: dict[str, list[dict[str, Any]]] = {
        "corpus": [{"text": f"once upon a time there were {n} rows " * 5} for n in numbers],
        "chat": [{**row, "output": f"answer {n}"} for n, row in enumerate(asked)],
        "pref": [
            {**row, "chosen": f"good answer {n}", "rejected": f"bad answer {n}"}
            for n, row in enumerate(asked)
        ],
        "judged": [
            {**row, "output": f"answer {n}", "label": n % 2 == 0} for n, row in enumerate(asked)
        ],
    }
    formats: dict[str, dict[str, Any]] = {
        "corpus": {"formatting": "text"},
        "pref": {"preference": "ranking"},
        "judged": {"preference": "kto"},
    }
    sets: list[DataSet] = []
    for name, made in rows.items():
        options = {"name": name, "holdout": 5, **formats.get(name, {})}
        sets += export("llamafactory", RowList.of(*made), folder, **options).sets
    return sets


def train(folder: Path, block: str = "train", **arguments: Any) -> Trained:
    models = {each: folder / f"model-{each}" for each in ("pt",)}
    models["sft"] = folder / "model-sft" / "merged"
    training = Training(
        *(exported(folder), folder, Context("train", seed=7), plain_files(folder), block),
        models=models,
    )
    trainer = LlamaFactory.model_validate({**TEN_STEPS, **arguments})
    trained = asyncio.run(trainer.train(training, trainer.write_config(training)))
    point_at(trained.model, folder, print)  # as the engine does
    return trained


def refused(folder: Path, **arguments: Any) -> str:
    with pytest.raises(PluginRefused) as refusal:
        train(folder, **arguments)
    return str(refusal.value)


@pytest.mark.usefixtures("real")
def test_every_stage_trains_and_the_next_goes_on(
    run: Path, base: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pt = train(run, "pt", stage="pt", model_name_or_path=str(base), finetuning_type="full")
    assert shown_model(pt.model, run) == run / "model-pt"
    assert {"train_loss", "eval_loss", "eval_perplexity"} <= set(pt.metrics)
    sft = train(run, "sft", stage="sft", model_name_or_path="trained:pt")
    assert shown_model(sft.model, run) == run / "model-sft" / "merged"
    assert [step for step, _ in sft.losses] == list(range(1, 11))
    assert sft.losses[0][1] > sft.losses[-1][1]
    assert sft.held_out_losses == ((10, sft.metrics["eval_loss"]),)
    for stage, kind in {"rm": "lora", "dpo": "lora", "kto": "full"}.items():
        trained = train(
            *(run, stage),
            **{"stage": stage, "model_name_or_path": "trained:sft", "finetuning_type": kind},
        )
        accuracy = {"rm": "eval_accuracy", "dpo": "eval_rewards/accuracies"}.get(stage)
        assert accuracy is None or 0 <= trained.metrics[accuracy] <= 1
        assert trained.losses
        assert (trained.model / "model.safetensors").exists()
    seen = looked(python, run)
    assert seen["apart"] < 1e-4
    assert seen["learned"] > 0.01
    better, worse = seen["rewards"]
    assert better != worse
    found = preferred(run, monkeypatch, python)
    assert found["judged"] == 2 and found["rm_margin"] != 0
    assert (found["rm_accuracy"] > 0) or found["rm_margin"] < 0


def preferred(run: Path, monkeypatch: pytest.MonkeyPatch, python: Path) -> dict[str, Any]:
    """What judge `reward` finds of the reward model, asked by provider `transformers`."""
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(python.parents[1]))
    pairs = [{"instruction": f"question {n}", "chosen": "good", "rejected": "bad"} for n in (1, 2)]
    (run / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    (run / "judged.yaml").write_text(JUDGED)
    command = [sys.executable, "-m", "sftrecipe.cli.main", "evaluate", str(run / "judged.yaml")]
    environment = {**os.environ, "SFTRECIPE_PROJECT": str(run), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = json.loads((run / "runs" / "judged" / "run.json").read_bytes())["steps"]
    found: dict[str, Any] = steps[-1]["notes"]["metrics"]
    return found


def looked(python: Path, run: Path) -> dict[str, Any]:
    command = [python, "-c", LOOK, run / "model-pt", run / "model-sft", run / "model-rm" / "merged"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=training_process_environment(), check=True
    )
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.usefixtures("real")
def test_what_is_trained_on_a_quantized_model_is_merged_into_the_whole_one(
    tmp_path: Path, base: Path
) -> None:
    trained = train(tmp_path, model_name_or_path=str(base), quantization_bit=4, max_steps=3)
    assert "Quantizing model to 4 bit" in (tmp_path / "train.log").read_text()
    merged = json.loads((trained.model / "config.json").read_text())
    assert "quantization_config" not in merged
    weights = [folder / "model.safetensors" for folder in (trained.model, base)]
    assert abs(weights[0].stat().st_size - weights[1].stat().st_size) < 1000


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"model_name_or_path": "/nowhere/model"}, r"failed \(exit status 1\): .*/nowhere/model"),
        ({"lora_ranc": 4}, r"ValueError: Some keys are not used .*'lora_ranc'"),
        ({"do_train": False}, "ended well and trained nothing"),
        ({"lora_target": "nothing_such"}, "ValueError: Target modules .*nothing_such"),
    ],
)
def test_its_failures_are_told(
    tmp_path: Path, base: Path, arguments: dict[str, Any], told: str
) -> None:
    message = refused(tmp_path, **{"model_name_or_path": str(base), **arguments})
    assert re.search(told, message), message
    assert "Traceback" not in message


@pytest.mark.usefixtures("real")
def test_a_full_disk_is_told(tmp_path: Path, base: Path) -> None:
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs to mount a small disk")
    try:
        message = refused(tmp_path, model_name_or_path=str(base), finetuning_type="full")
        assert "No space left on device" in message
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.fixture(scope="module")
def untouched(warm: str, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A long training that nobody interrupts."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", warm)
        return train(tmp_path_factory.mktemp("whole"), **LONG, model_name_or_path=str(base))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_training_ends_as_one_that_was_not(
    tmp_path: Path,
    base: Path,
    python: Path,
    warm: str,
    untouched: Trained,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(python.parents[1]))
    arguments = {**LONG, "model_name_or_path": str(base)}
    command = [sys.executable, "-c", ENGINE, str(tmp_path), json.dumps(arguments)]
    engine = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    until(lambda: whole_checkpoints(tmp_path) >= 10)
    processes = noted(tmp_path)
    engine.send_signal(number)
    engine.communicate()
    until(lambda: not any(process.lives() for process in processes))
    assert len(processes) >= 2
    assert not list(tmp_path.glob("models/*/all_results.json"))

    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", warm)
    checkpoint = whole_checkpoints(tmp_path)
    trained = train(tmp_path, **arguments)
    log = (tmp_path / "train.log").read_text()
    here = trained.model.parent.relative_to(tmp_path)
    assert f"Loading model from {here}/checkpoint-{checkpoint}." in log
    assert trained.losses == untouched.losses
    assert trained.metrics["eval_loss"] == untouched.metrics["eval_loss"]


def test_its_own_launcher_trains_in_two_processes(
    tmp_path: Path, base: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFTRECIPE_TRAIN_ENV", str(python.parents[1]))
    monkeypatch.setenv("FORCE_TORCHRUN", "1")
    monkeypatch.setenv("NPROC_PER_NODE", "2")
    full = {"finetuning_type": "full", "ddp_backend": "gloo", "max_steps": 3}
    trained = train(tmp_path, model_name_or_path=str(base), **full)
    assert [step for step, _ in trained.losses] == [1, 2, 3]
    assert "world size: 2" in (tmp_path / "train.log").read_text()


def whole_checkpoints(folder: Path) -> int:
    """The last step whose checkpoint is whole."""
    states = folder.glob("models/*/checkpoint-*/trainer_state.json")
    return max((int(state.parent.name.split("-")[1]) for state in states), default=0)


def noted(folder: Path) -> list[Process]:
    """The trainer's processes and its keeper."""
    note = json.loads((folder / "train.server.json").read_text())
    return [*members(note["processes"][0][0]), Process(*note["keeper"])]


def until(true: Any, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
