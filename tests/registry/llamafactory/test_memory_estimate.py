"""What a training takes is foreseen from its arguments and its model's shape."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sftrecipe import Context
from sftrecipe.plugin import Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory.arguments.schedule import interval
from sftrecipe_registry.llamafactory.estimate.disk import disk_bytes, kept_checkpoints
from sftrecipe_registry.llamafactory.estimate.fitting import fits
from sftrecipe_registry.llamafactory.estimate.memory import memory_estimate
from sftrecipe_registry.llamafactory.estimate.model_shape import (
    ModelShape,
    shape_from_config,
    shape_from_name,
    shape_of,
)
from sftrecipe_registry.llamafactory.estimate.outlook import Outlook
from sftrecipe_registry.llamafactory.estimate.training_setup import Settings, training_setup
from sftrecipe_registry.llamafactory.trainer import LlamaFactory

SMOLLM2: dict[str, Any] = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_hidden_layers": 30,
    "num_key_value_heads": 3,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "vocab_size": 49152,
}
QWEN_7B: dict[str, Any] = {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
    "vocab_size": 152064,
}
METHODS: tuple[dict[str, Any], ...] = (
    {"finetuning_type": "full"},
    {},
    {"quantization_bit": 4},
    {"finetuning_type": "freeze"},
)


def shape(config: dict[str, Any]) -> ModelShape:
    found = shape_from_config(config)
    assert found is not None
    return found


def peak(settings: Settings, longest: int, of: ModelShape, *, on_cpu: bool = True) -> int:
    setup = training_setup(settings, of, on_cpu=on_cpu)
    return memory_estimate(settings, setup, longest).peak


def test_parameters_are_counted_as_published() -> None:
    assert shape(SMOLLM2).parameters == 134_515_008  # its card: 135M
    assert round(shape(QWEN_7B).parameters / 1e9, 2) == 7.62  # its card: 7.61B, biases beside


def test_an_adapter_is_counted_as_peft_counts_it() -> None:
    setup = training_setup({"lora_rank": 8}, shape(SMOLLM2), on_cpu=True)
    assert setup.trained == 2_442_240  # "Number of trainable parameters", in LLaMA-Factory's log


# Peaks (VmHWM) of real CPU trainings, torch 2.13 built for CPUs: benchmarks/trainings/memory.py.
@pytest.mark.parametrize(
    ("settings", "cutoff", "measured"),
    [
        ({}, 256, 1584e6),
        ({}, 1024, 2640e6),
        ({"finetuning_type": "full"}, 256, 3117e6),
        ({"quantization_bit": 4}, 256, 1444e6),
    ],
    ids=str,
)
def test_real_trainings_took_so_much(settings: Settings, cutoff: int, measured: float) -> None:
    given = {**settings, "per_device_train_batch_size": 1}
    setup = training_setup(given, shape(SMOLLM2), on_cpu=True)
    assert memory_estimate(given, setup, cutoff).training == pytest.approx(measured, rel=0.15)


def test_an_evaluation_took_so_much() -> None:
    small = shape_from_config(
        {
            **{"model_type": "llama", "hidden_size": 256, "intermediate_size": 1024},
            **{"num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 4},
            **{"vocab_size": 49152, "tie_word_embeddings": False, "dtype": "bfloat16"},
        }
    )
    assert small is not None
    given = {"per_device_train_batch_size": 1, "val_size": 8, "do_eval": True}
    setup = training_setup(given, small, on_cpu=True)
    assert memory_estimate(given, setup, 256).training == pytest.approx(1815e6, rel=0.05)


ODD = (None, "", "x", "12", [], ["a"], {}, True, 0, -1, 1.5, float("inf"), float("nan"))


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_no_odd_value_of_an_argument_stops_the_forecast(tmp_path: Path, odd: object) -> None:
    names = (
        *("cutoff_len", "per_device_train_batch_size", "gradient_accumulation_steps", "max_steps"),
        *("num_train_epochs", "lora_rank", "galore_rank", "eval_steps", "save_steps", "val_size"),
        *(
            "per_device_eval_batch_size",
            "max_samples",
            "warmup_ratio",
            "optim",
            "quantization_bit",
            "packing",
        ),
    )
    training = Training((), tmp_path, Context("train", seed=7), plain_files(tmp_path), rows=80)
    for name in names:
        settings = {
            **{"model_name_or_path": "some/model-7B", "use_cpu": True, "eval_strategy": "steps"},
            **({"finetuning_type": "full", "use_galore": True} if "galore" in name else {}),
            name: odd,
        }
        forecast = Outlook(settings, training).forecast()
        assert forecast.memory is not None, name
        assert interval(settings, "eval_steps", 30) >= 1, name


# LLaMA-Factory's README, `Hardware Requirement`, at 7B and 14B.
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"finetuning_type": "full", "bf16": True}, (120, 240)),
        ({"finetuning_type": "full", "pure_bf16": True}, (60, 120)),
        ({"bf16": True}, (16, 32)),
        ({"bf16": True, "quantization_bit": 8}, (10, 20)),
        ({"bf16": True, "quantization_bit": 4}, (6, 12)),
    ],
    ids=str,
)
def test_as_llamafactory_tells(settings: Settings, told: tuple[int, int]) -> None:
    given = {**settings, "per_device_train_batch_size": 1}
    for name, gigabytes in zip(("7B", "14B"), told, strict=True):
        found = shape_from_name(name)
        assert found is not None
        assert peak(given, 512, found, on_cpu=False) / 1e9 == pytest.approx(gigabytes, rel=0.2)


@examples(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    batch=st.integers(1, 16),
    longest=st.integers(8, 4096),
    layers=st.integers(1, 40),
    on_cpu=st.booleans(),
    kept=st.booleans(),
)
def test_more_of_anything_takes_no_less(
    method: Settings, batch: int, longest: int, layers: int, on_cpu: bool, kept: bool
) -> None:
    settings = {**method, "disable_gradient_checkpointing": kept}

    def of(rows: int, length: int, depth: int) -> int:
        given = {**settings, "per_device_train_batch_size": rows}
        model = shape({**SMOLLM2, "num_hidden_layers": depth})
        return peak(given, length, model, on_cpu=on_cpu)

    least = of(batch, longest, layers)
    assert least <= of(batch + 1, longest, layers)
    assert least <= of(batch, longest + 8, layers)
    assert least <= of(batch, longest, layers + 1)


@examples(max_examples=40, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    batch=st.integers(1, 64),
    longest=st.integers(256, 4096),
    memory=st.integers(2, 80),
)
def test_what_is_hinted_fits(method: Settings, batch: int, longest: int, memory: int) -> None:
    settings = {**method, "per_device_train_batch_size": batch, "cutoff_len": 8192}
    model = shape(SMOLLM2)

    def of(changed: Settings) -> int:
        return peak(changed, min(longest, changed["cutoff_len"]), model)

    if of(settings) > memory * 1e9:
        for change, told in fits(settings, longest, int(memory * 1e9), of):
            assert told == of({**settings, **change}) <= memory * 1e9


def test_a_model_is_read_from_its_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SMOLLM2))
    header = {
        "model.layers.0.self_attn.q_proj.weight": {"dtype": "BF16", "shape": [8, 4]},
        "model.embed_tokens.weight": {"dtype": "F32", "shape": [16, 4]},
    }
    text = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    found = shape_of(str(tmp_path), tmp_path, {})
    assert found is not None
    assert (found.basis, found.parameters, found.file_bytes) == ("files", 96, 320)
    assert [(each.name, each.outputs, each.inputs) for each in found.matrices] == [("q_proj", 8, 4)]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 7e9),
        ("meta-llama/Llama-3.2-1B", 1e9),
        ("HuggingFaceTB/SmolLM2-135M", 135e6),
        ("some/model", None),
        ("microsoft/phi-4", None),
        ("x/gpt2-4bit", None),
    ],
)
def test_a_models_name_may_tell_its_size(
    name: str, parameters: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    found = shape_of(name, tmp_path, {})
    assert (found and (found.basis, found.parameters)) == (
        parameters and ("name", round(parameters))
    )


def test_no_other_optimiser_than_known_ones_is_counted() -> None:
    known = {
        name: training_setup({"optim": name}, shape(SMOLLM2), on_cpu=True).moments
        for name in ("adamw_torch", "adamw_bnb_8bit", "sgd", "schedule_free_radam")
    }
    assert known == {
        "adamw_torch": 2.0,
        "adamw_bnb_8bit": 0.5,
        "sgd": 0.0,
        "schedule_free_radam": None,
    }


def test_checkpoints_take_disk() -> None:
    assert kept_checkpoints({"save_steps": 0.1, "save_total_limit": 1}, 30) == 2
    assert kept_checkpoints({"save_steps": 10}, 30) == 3
    assert kept_checkpoints({"save_steps": 500}, 30) == 1
    assert kept_checkpoints({"save_strategy": "no"}, 30) == 0
    assert kept_checkpoints({"save_strategy": "epoch", "num_train_epochs": 4}, 30) == 4
    full: Settings = {"finetuning_type": "full", "save_steps": 10}
    setup = training_setup(full, shape(SMOLLM2), on_cpu=True)
    alone = disk_bytes({**full, "save_strategy": "no"}, setup, 30)
    with_states = disk_bytes(full, setup, 30)
    without = disk_bytes({**full, "save_only_model": True}, setup, 30)
    assert alone < without < with_states
    assert with_states - without == 3 * 8 * setup.trained


def test_time_is_the_last_runs_rate(tmp_path: Path) -> None:
    given = {"model_name_or_path": "some/model", "template": "qwen", "use_cpu": True}
    trainer = LlamaFactory.model_validate(given)
    files = plain_files(tmp_path)
    training = Training((), tmp_path, Context("train", seed=7), files, rows=80)
    forecast = trainer.forecast(training)
    assert (forecast.steps, forecast.seconds, forecast.time_basis) == (30, None, None)
    known = replace(training, before={"train_samples_per_second": 4.0})
    forecast = trainer.forecast(known)
    assert (forecast.seconds, forecast.time_basis) == (60.0, "last-run")
    slower = replace(known, changed=frozenset(("learning_rate", "cutoff_len", "use")))
    forecast = trainer.forecast(slower)
    assert (forecast.seconds, forecast.time_basis) == (None, None)
    assert "rate is not taken: cutoff_len, use changed since" in str(forecast.notes[0])
    longer = replace(known, changed=frozenset(("learning_rate", "num_train_epochs")))
    assert trainer.forecast(longer).seconds == 60.0
