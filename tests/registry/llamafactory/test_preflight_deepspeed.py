"""DeepSpeed's configuration and Unsloth's arguments, told before a training starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context
from sftrecipe.plugin import Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory.preflight.deepspeed_config import deepspeed_findings
from sftrecipe_registry.llamafactory.preflight.unsloth_arguments import knows_cpus, unsloth_findings
from sftrecipe_registry.llamafactory.training.variables import training_variables

GATHER = "stage3_gather_16bit_weights_on_model_save"
AUTO = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "fp16": {"enabled": "auto"},
    "bf16": {"enabled": "auto"},
}
ZERO_3 = {"stage": 3, "reduce_bucket_size": "auto", GATHER: True}


def found(folder: Path, config: Any, **settings: Any) -> list[tuple[str, str, str | None]]:
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "ds.json").write_text(text)
    training = Training((), folder, Context("train"), plain_files(folder))
    findings = deepspeed_findings({"deepspeed": "ds.json", **settings}, training)
    return [(each.state, str(each.message), each.advice) for each in findings]


def test_llamafactorys_own_examples_are_right(tmp_path: Path) -> None:
    offload = {"device": "cpu", "pin_memory": True}
    for zero in (
        {"stage": 0, "overlap_comm": True},
        {"stage": 2, "offload_optimizer": offload},
        {**ZERO_3, "offload_optimizer": offload, "offload_param": offload},
    ):
        assert found(tmp_path, {**AUTO, "zero_optimization": zero}) == []


@pytest.mark.parametrize("batch", [None, 0, "8", -1, True])
def test_odd_batches_are_held_against_nothing(tmp_path: Path, batch: Any) -> None:
    config = {"train_batch_size": 8, "zero_optimization": {"stage": 2}}
    assert found(tmp_path, config, per_device_train_batch_size=batch) == []


def test_an_offload_that_is_a_text_is_told(tmp_path: Path) -> None:
    zero = {"stage": 2, "offload_optimizer": "nvme"}
    ((state, message, _),) = found(tmp_path, {**AUTO, "zero_optimization": zero})
    assert (state, message) == ("fault", "deepspeed 'offload_optimizer' on nvme names no nvme_path")


@pytest.mark.parametrize(
    ("config", "settings", "said"),
    [
        ("{", {}, "deepspeed configuration 'ds.json' is no JSON: "),
        ([], {}, "deepspeed configuration 'ds.json' is no JSON object"),
        ({}, {}, "deepspeed has neither train_batch_size nor train_micro_batch_size_per_gpu"),
        ({"zero_optimisation": {}}, {}, "deepspeed passes over 'zero_optimisation'"),
        (
            {"train_micro_batch_size_per_gpu": 4},
            {"per_device_train_batch_size": 2},
            "deepspeed 'train_micro_batch_size_per_gpu' is 4, training argument "
            "'per_device_train_batch_size' 2",
        ),
        ({"train_batch_size": 20}, {}, "deepspeed 'train_batch_size' is 20, no multiple of the 8"),
        ({"bf16": {"enabled": True}}, {}, "deepspeed 'bf16.enabled' is True, training argument"),
        ({"steps_per_print": "auto"}, {}, "deepspeed 'steps_per_print' is 'auto', and nobody"),
        ({"zero_optimization": {"stage": 4}}, {}, "deepspeed 'zero_optimization.stage' is 4"),
        (
            {"zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}}},
            {},
            "deepspeed 'offload_param' has no effect at stage 2, only from 3 on",
        ),
        (
            {"zero_optimization": {**ZERO_3, "offload_param": {"device": "nvme"}}},
            {},
            "deepspeed 'offload_param' on nvme names no nvme_path",
        ),
        ({"zero_optimization": {"stage": 3}}, {}, f"without '{GATHER}' stage 3 saves no weights"),
        (
            {"zero_optimization": ZERO_3},
            {"use_unsloth": True},
            "training argument 'use_unsloth' does not go with deepspeed's stage 3",
        ),
        ({}, {"use_galore": True}, "training argument 'use_galore' does not go with deepspeed"),
    ],
)
def test_what_it_would_stop_at_is_told(
    tmp_path: Path, config: Any, settings: dict[str, Any], said: str
) -> None:
    whole = {**AUTO, **config} if isinstance(config, dict) and config else config
    assert any(message.startswith(said) for _, message, _ in found(tmp_path, whole, **settings))


def test_a_missing_file_is_told_and_none_is_none(tmp_path: Path) -> None:
    training = Training((), tmp_path, Context("train"), plain_files(tmp_path))
    [finding] = deepspeed_findings({"deepspeed": "none.json"}, training)
    assert finding.message == "deepspeed configuration 'none.json' does not exist"
    assert list(deepspeed_findings({}, training)) == []


def test_one_device_starts_it_under_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_TORCHRUN", raising=False)
    assert training_variables(Path("/p/bin/python"), {"deepspeed": "a"})["FORCE_TORCHRUN"] == "1"
    assert "FORCE_TORCHRUN" not in training_variables(Path("/p/bin/python"), {})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"finetuning_type": "oft"}, "Unsloth does not take finetuning_type 'oft'"),
        ({"quantization_bit": 8}, "with Unsloth quantization_bit '8' has no effect"),
        ({"adapter_name_or_path": "a,b"}, "Unsloth takes one adapter"),
        ({"stage": "ppo"}, "Unsloth does not take reward_model_type 'lora'"),
        ({"pissa_init": True}, "with Unsloth pissa_init 'True' has no effect"),
    ],
)
def test_what_unsloth_does_not_take_is_told(settings: dict[str, Any], said: str) -> None:
    [finding] = unsloth_findings({"use_unsloth": True, **settings})
    assert finding.message == said
    assert list(unsloth_findings(settings)) == []


def test_an_unsloth_that_falls_back_to_a_cpu_is_known(tmp_path: Path) -> None:
    (tmp_path / "unsloth").mkdir()
    assert not knows_cpus(tmp_path)
    (tmp_path / "unsloth" / "_cpu_init.py").write_text("UNSLOTH_DISABLE_CPU_FALLBACK = 1\n")
    assert knows_cpus(tmp_path)
