"""The model's folder, the folder to train into, and the machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context
from sftrecipe.plugin import Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.preflight.machine import gpu_findings, package_findings
from sftrecipe_registry.llamafactory.preflight.model import model_findings, output_findings
from sftrecipe_registry.llamafactory.training import environment as training_environment
from sftrecipe_registry.llamafactory.training.output import NOTE


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(training_environment, "_places", lambda: iter(()))
    llamafactory.argument_table.cache_clear()
    yield
    llamafactory.argument_table.cache_clear()


WEIGHTS = (2).to_bytes(8, "little") + b"{}"


def training(folder: Path, **models: Path) -> Training:
    return Training((), folder, Context("train", seed=7), plain_files(folder), models=models)


def model(folder: Path, *left_out: str) -> str:
    folder.mkdir()
    for name in {"config.json", "model.safetensors", "tokenizer.json"} - {*left_out}:
        (folder / name).write_bytes(WEIGHTS if name.endswith("tensors") else b"{}")
    return str(folder)


def found(settings: dict[str, Any], folder: Path, **models: Path) -> list[tuple[str, str]]:
    told = model_findings(settings, training(folder, **models))
    return [(each.state, each.message) for each in told]


def test_a_whole_model_is_one(tmp_path: Path) -> None:
    assert found({"model_name_or_path": model(tmp_path / "m")}, tmp_path) == []
    assert found({"model_name_or_path": "m"}, tmp_path) == []
    assert found({"model_name_or_path": "Qwen/Qwen2.5-0.5B"}, tmp_path) == []


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ("config.json", "has no config.json"),
        ("model.safetensors", "has no weights"),
        ("tokenizer.json", "has no tokenizer"),
    ],
)
def test_a_part_is_missing(tmp_path: Path, left_out: str, expected: str) -> None:
    name = model(tmp_path / "m", left_out)
    ((state, message),) = found({"model_name_or_path": name}, tmp_path)
    assert (state, expected in message) == ("fault", True)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    ((state, message),) = found({"model_name_or_path": str(tmp_path / "gone")}, tmp_path)
    assert (state, "does not exist" in message) == ("fault", True)


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "adapter_config.json").write_text("{}")
    ((state, message),) = found({"model_name_or_path": "lora"}, tmp_path)
    assert (state, "holds an adapter" in message) == ("fault", True)
    name = model(tmp_path / "m")
    (tmp_path / "lora" / "adapter_config.json").write_text('{"r": 8}')
    (tmp_path / "lora" / "adapter_model.safetensors").touch()
    assert found({"model_name_or_path": name, "adapter_name_or_path": "lora"}, tmp_path) == []
    ((state, message),) = found({"model_name_or_path": name, "adapter_name_or_path": "m"}, tmp_path)
    assert (state, "no adapter_config.json" in message) == ("fault", True)


def test_the_model_of_an_earlier_block_comes_later(tmp_path: Path) -> None:
    settings = {"model_name_or_path": "model-pt"}
    ((state, message),) = found(settings, tmp_path, pt=tmp_path / "model-pt")
    assert (state, "is not trained yet" in message) == ("warning", True)


def outputs(settings: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    return [(each.state, each.message) for each in output_findings(settings, training(folder))]


def test_a_new_output_folder_is_fine(tmp_path: Path) -> None:
    assert outputs({"output_dir": "model"}, tmp_path) == []
    (tmp_path / "model").mkdir()
    assert outputs({"output_dir": "model"}, tmp_path) == []


def test_an_output_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "model" / "checkpoint-5").mkdir(parents=True)
    ((state, message),) = outputs({"output_dir": "model"}, tmp_path)
    assert (state, "holds checkpoints of another training" in message) == ("fault", True)
    (tmp_path / "model" / NOTE).write_text(json.dumps({"fingerprint": "0"}))
    assert outputs({"output_dir": "model"}, tmp_path) == []


def test_other_files_in_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "adapter_model.safetensors").touch()
    ((_, message),) = outputs({"output_dir": "model"}, tmp_path)
    assert "holds files that this recipe did not make" in message


def test_the_output_folder_is_the_models(tmp_path: Path) -> None:
    model(tmp_path / "m")
    ((state, message),) = outputs({"output_dir": "m", "model_name_or_path": "m"}, tmp_path)
    assert (state, "at the same time" in message) == ("fault", True)
    (tmp_path / "file").touch()
    assert "is a file" in str(outputs({"output_dir": "file"}, tmp_path))


@pytest.mark.parametrize(
    ("settings", "lacking"),
    [
        ({"quantization_bit": 4}, "bitsandbytes"),
        ({"use_unsloth": True}, "unsloth"),
        ({"deepspeed": "x.json"}, "deepspeed"),
        ({"plot_loss": True}, "matplotlib"),
        ({"report_to": "tensorboard"}, "tensorboard"),
        ({"report_to": ["wandb"]}, "wandb"),
        ({"optim": "paged_adamw_8bit"}, "bitsandbytes"),
        ({"flash_attn": "fa2"}, "flash-attn"),
        ({"predict_with_generate": True}, "jieba"),
    ],
    ids=str,
)
def test_packages_that_are_asked_for(settings: dict[str, Any], lacking: str) -> None:
    told = list(package_findings(settings, []))
    assert told[0].message.startswith(f"package {lacking} is not installed")
    have = [lacking.replace("-", "_"), "nltk", "rouge_chinese"]
    assert list(package_findings(settings, have)) == []


CPU = {"gpus": [], "bf16": False}
UNSCALED = ": it trains without a scaled loss, so that small gradients become zero"
OLD_GPU = {"gpus": ["T4"], "bf16": False}
GPU = {"gpus": ["H200"], "bf16": True}


@pytest.mark.parametrize(
    ("settings", "machine", "expected"),
    [
        ({"fp16": True}, CPU, f"fp16 is set, and no GPU is seen{UNSCALED}"),
        ({"fp16": True, "use_cpu": True}, GPU, f"fp16 is set, and use_cpu is set{UNSCALED}"),
        ({"bf16": True}, CPU, "bf16 is set, and no GPU is seen"),
        ({"bf16": True}, OLD_GPU, "bf16 is set, and GPU 'T4' lacks it"),
        ({"pure_bf16": True, "use_cpu": True}, CPU, "pure_bf16 is set, and no GPU is seen"),
        ({"quantization_bit": 4}, CPU, "quantization_bit asks for a GPU, and no GPU is seen"),
        ({"fsdp": "full_shard"}, CPU, "fsdp asks for a GPU, and no GPU is seen"),
        ({"tf32": True}, CPU, "tf32 asks for a GPU, and no GPU is seen"),
        ({"use_unsloth": True}, CPU, "use_unsloth asks for a GPU, and no GPU is seen"),
        ({"bf16": True, "use_cpu": True}, CPU, ""),
        ({"flash_attn": "sdpa"}, CPU, ""),
        ({"bf16": True, "fp16": False, "quantization_bit": 4}, GPU, ""),
        ({"fp16": True}, OLD_GPU, ""),
    ],
    ids=str,
)
def test_a_gpu_is_asked_for(
    settings: dict[str, Any], machine: dict[str, Any], expected: str
) -> None:
    assert [each.message for each in gpu_findings(settings, machine)] == [expected] * bool(expected)
