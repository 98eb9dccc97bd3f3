"""The same recipe, trained by LLaMA-Factory's v1: content lists, arguments of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from sftrecipe import Context
from sftrecipe.plugin import KeptModel, OptionFiles, Training
from sftrecipe.testing import RowList, plain_files
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.formats.content_lists import content_schema
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.llamafactory.training.output import training_fingerprint
from sftrecipe_registry.llamafactory.v1 import arguments
from sftrecipe_registry.llamafactory.v1.output import V1Output
from sftrecipe_registry.llamafactory.v1.version import SWITCH, speaks_v1
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

from ...support import tiny_llama
from ...support.exports import export
from ...support.training_environment import ABSENT, training_process_environment, training_python

BASE = {"model_name_or_path": "m", "template": "chatml", "lr_scheduler_type": "constant"}
CALL = {"name": "weather", "arguments": {"city": "北京"}}
TALK = {
    "system": "Be kind.",
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "maybe", "train": False},
        {"role": "user", "content": "and now?"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "sunny"},
        {"role": "assistant", "content": "It shines.", "reasoning": "Sunny means sun."},
    ],
}


@pytest.fixture(autouse=True)
def v1(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setenv(TRAINING_ENVIRONMENT, "")
    monkeypatch.setattr("shutil.which", lambda name: None)
    tables = (llamafactory.argument_table, arguments.v1_table)
    for table in tables:
        table.cache_clear()
    yield
    for table in tables:
        table.cache_clear()


def text(value: str) -> list[dict[str, str]]:
    return [{"type": "text", "value": value}]


def said(role: str, content: Any, weight: float) -> dict[str, Any]:
    return {"role": role, "content": content, "loss_weight": weight}


def v1_output(run: Path, settings: dict[str, Any]) -> V1Output:
    kept = KeptModel(run, "0" * 32)
    kept.folder.mkdir(parents=True, exist_ok=True)
    return V1Output(kept, "model", {**settings, "stage": "sft"})


def problems(**given: Any) -> list[tuple[str, str | None]]:
    trainer = LlamaFactory.model_validate({**BASE, **given})
    found = trainer.problems(None, OptionFiles({}))
    return [(str(each.message), each.hint and str(each.hint)) for each in found]


def test_masked_turns_weigh_nothing_and_parts_have_their_types(tmp_path: Path) -> None:
    [made] = export("llamafactory", RowList.of(TALK), tmp_path).sets
    [row] = json.loads((tmp_path / made.files[0]).read_text("utf-8"))
    assert row["messages"] == [
        said("system", text("Be kind."), 0.0),
        said("user", text("hi"), 0.0),
        said("assistant", text("maybe"), 0.0),
        said("user", text("and now?"), 0.0),
        said(
            "assistant", [{"type": "tool_call", "value": json.dumps(CALL, ensure_ascii=False)}], 1.0
        ),
        said("tool", text("sunny"), 0.0),
        said(
            "assistant",
            [{"type": "reasoning", "value": "Sunny means sun."}, *text("It shines.")],
            1.0,
        ),
    ]
    assert made.entry == {"file_name": "demo.json", "formatting": "v1", "ranking": False}
    assert made.needs == {}


def test_pairs_are_whole_conversations(tmp_path: Path) -> None:
    rows = RowList.of({"instruction": "q", "chosen": "good", "rejected": "bad"})
    [made] = export("llamafactory", rows, tmp_path, file="parquet").sets
    table = pq.read_table(tmp_path / made.files[0])
    assert table.schema.equals(content_schema("ranking"))
    [row] = table.to_pylist()
    assert row["rejected_messages"] == [
        said("user", text("q"), 0.0),
        said("assistant", text("bad"), 1.0),
    ]


def test_a_row_that_learns_nothing_and_one_with_pictures_are_told(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    masked = {"messages": [turns[0], turns[1] | {"train": False}]}
    pictured = {"instruction": "<image> q", "output": "a", "images": ["a.png"]}
    rows = RowList.of({"messages": turns}, masked, pictured)
    made = export("llamafactory", rows, tmp_path)
    assert made.reasons == ["masked_turn", "unread_part"]


def test_the_recipes_arguments_are_v1s(tmp_path: Path) -> None:
    rows = RowList.of(*({"instruction": f"q{n}", "output": "a"} for n in range(40)))
    made = export("llamafactory", rows, tmp_path)
    training = Training(made.sets, tmp_path, Context("train", seed=7), plain_files(tmp_path))
    given = {**BASE, "lora_rank": 4, "lora_target": "q_proj,v_proj", "quantization_bit": 4}
    given |= {"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2, "bf16": True}
    config = LlamaFactory.model_validate(given).write_config(training)
    assert yaml.safe_load(config.read_text("utf-8")) == {
        **{
            "model": "m",
            "template": "chatml",
            "output_dir": "model.by-hand",
            "seed": 7,
            "bf16": True,
        },
        **{"micro_batch_size": 2, "global_batch_size": 4, "batching_workers": 0},
        **{"learning_rate": 5e-5, "logging_steps": 1, "save_steps": 3, "save_total_limit": 1},
        "peft_config": {
            **{"name": "lora", "r": 4, "lora_alpha": 8, "lora_dropout": 0.0},
            "target_modules": ["q_proj", "v_proj"],
        },
        "quant_config": {"name": "bnb", "quantization_bit": 4},
        "train_dataset": "train_data.yaml",
    }
    sets = yaml.safe_load((tmp_path / "train_data.yaml").read_text("utf-8"))
    assert sets == {"demo": {"path": "demo.json", "source": "local"}}
    before = training_fingerprint(yaml.safe_load(config.read_text("utf-8")), tmp_path)
    (tmp_path / "demo.json").write_text("[]")
    assert training_fingerprint(yaml.safe_load(config.read_text("utf-8")), tmp_path) != before


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("stage", "pt", "it takes: sft"),
        ("stage", "rm", "it takes: sft"),
        ("finetuning_type", "oft", "it takes: full, lora, freeze"),
        ("template", "smollm2", "it takes: chatml, qwen3, qwen3_nothink"),
        ("num_train_epochs", 0.5, "v1 trains whole epochs; write max_steps for less"),
        ("use_unsloth", True, "leave it out, or train without USE_V1"),
        ("max_samples", 5, "limit the rows by the mix's total"),
        (
            "mask_history",
            True,
            "leave it out: v1 learns each answer as its row says (train: false)",
        ),
    ],
)
def test_what_v1_cannot_do_is_refused_by_name(name: str, value: object, hint: str) -> None:
    [(message, advice)] = problems(**{name: value})
    assert f"'{name}'" in message
    assert advice == hint


def test_what_says_what_v1_does_anyway_is_taken() -> None:
    assert problems(warmup_ratio=None, weight_decay=0.0, report_to="none", plot_loss=True) == []
    assert problems(micro_batch_size=2, batching_strategy="normal") == []
    assert problems(micro_batch_size="2")[0][1] == "write 2"


def test_a_version_of_1_needs_no_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH)
    site_packages = tmp_path / "lib/python3.11/site-packages"
    (site_packages / "llamafactory").mkdir(parents=True)
    (site_packages / "llamafactory" / "__init__.py").touch()
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(tmp_path))
    (site_packages / "llamafactory-0.9.5.dist-info").mkdir()
    assert not speaks_v1()
    (site_packages / "llamafactory-0.9.5.dist-info").rename(
        site_packages / "llamafactory-1.0.0.dist-info"
    )
    assert speaks_v1()


def test_it_trained_when_weights_follow_the_last_step(tmp_path: Path) -> None:
    output = v1_output(tmp_path, {"peft_config": {"name": "lora"}})
    folder, line = output.folder, {"step": 1, "total_steps": 2, "loss": 3.0}
    (folder / "trainer_log.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "adapter_model.safetensors").touch()
    assert not output.trained(0)
    with (folder / "trainer_log.jsonl").open("a") as log:
        log.write(json.dumps(line | {"step": 2, "loss": 1.0}) + "\n")
    assert output.trained(0)
    assert output.results() == {"train_loss": 2.0}
    (folder / "checkpoint-1").mkdir()
    assert output._last_checkpoint() is None
    (folder / "checkpoint-1" / "CHECKPOINT_COMPLETE").touch()
    assert output._last_checkpoint() == folder / "checkpoint-1"


PROBE = """
import json, sys, yaml
sys.path.insert(0, sys.argv[1])
from worker import look
settings = yaml.safe_load(open("train.yaml"))
report = look(settings["model"], settings["train_dataset"], settings["cutoff_len"], "chatml")
from llamafactory.v1.trainers.sft_trainer import run_sft
run_sft(settings)
print(json.dumps(report))
"""


@pytest.mark.heavy
def test_v1_itself_loads_renders_and_trains(tmp_path: Path) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    site_packages = next(python.parent.parent.glob("lib/python3*/site-packages"))
    shipped = arguments.v1_table()
    found = arguments.read_table(site_packages, site_packages / "llamafactory" / "v1")
    assert (found.arguments, found.templates) == (shipped.arguments, shipped.templates)

    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a", "train": False},
    ]
    turns += [{"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]
    rows = RowList.of(*({"messages": turns, "system": f"s{n}"} for n in range(4)))
    sets = export("llamafactory", rows, tmp_path).sets
    training = Training(sets, tmp_path, Context("train"), plain_files(tmp_path))
    base = str(tiny_llama.make(tmp_path / "base"))
    given = {**BASE, "model_name_or_path": base, "max_steps": 2, "cutoff_len": 128}
    LlamaFactory.model_validate(
        {**given, "per_device_train_batch_size": 2, "finetuning_type": "full"}
    ).write_config(training)
    worker = Path(arguments.__file__).parent
    done = subprocess.run(
        [str(python), "-c", PROBE, str(worker)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout.splitlines()[-1])
    # `<|im_start|>assistant\nb<|im_end|>\n` alone is learned, with a tokenizer of bytes.
    assert (report["rows"], report["learned"]) == (4, 4 * len("Sassistant\nbE\n"))
    assert not any(report[name]["rows"] for name in ("failed", "cut", "empty"))
    settings = yaml.safe_load((tmp_path / "train.yaml").read_text("utf-8"))
    output = v1_output(tmp_path, settings)
    (tmp_path / "model.by-hand" / "trainer_log.jsonl").rename(output.folder / "trainer_log.jsonl")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "model.by-hand" / name).rename(output.folder / name)
    assert output.trained(0)
