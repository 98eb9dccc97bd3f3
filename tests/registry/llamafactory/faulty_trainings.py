"""A folder of models, checkpoints and data in which trainings can be faulty, and their settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sftrecipe_registry.llamafactory.training.output import data_fingerprint

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text())
SETTINGS: Mapping[str, Any] = {
    **{"model_name_or_path": "base", "template": "default", "stage": "sft", "do_train": True},
    **{"finetuning_type": "lora", "dataset": "rows", "dataset_dir": ".", "cutoff_len": 64},
    **{"per_device_train_batch_size": 2, "num_train_epochs": 1, "learning_rate": 0.001},
    **{"report_to": "none", "logging_steps": 1, "save_steps": 4, "output_dir": "out"},
    "overwrite_cache": True,
}
_OF_ADAPTERS = {"lora_rank": 8, "lora_target": "q_proj,v_proj"}
_SIZES = {"base": 32, "twin": 32, "other": 48}


def settings_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a case; those of LoRA where an adapter is trained."""
    found = {**SETTINGS, **case["with"]}
    return found if found["finetuning_type"] != "lora" else {**_OF_ADAPTERS, **found}


def make_folder(folder: Path) -> None:
    """Write it: the weights are as short as such files can be."""
    for name, size in _SIZES.items():
        _model(folder / name, size, name)
    for name, end in (("short", b"\xff" * 20), ("pointer", b"version https://git-lfs.github.com")):
        _model(folder / name, 32, name)
        (folder / name / "model.safetensors").write_bytes(end)
    (folder / "empty").mkdir()
    (folder / "model.gguf").write_bytes(b"GGUF")
    (folder / "ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    _data(folder)
    data = data_fingerprint(SETTINGS, folder)
    for name in ("lora", "bare", "full"):
        for step in (8, 10):
            _checkpoint(folder / name / f"checkpoint-{step}", step, is_adapter=name != "full")
        if name != "bare":
            note = {"fingerprint": "0" * 32, "made_by": {"data": data}}
            (folder / name / ".sftrecipe.json").write_text(json.dumps(note))
    _adapter(folder / "lora")


def _data(folder: Path) -> None:
    rows = [
        {"instruction": f"Ask {at}?", "input": "", "output": f"This is answer {at}."}
        for at in range(24)
    ]
    files = {"rows": rows[:20], "held": rows[:6], "others": rows}
    for name, some in files.items():
        (folder / f"{name}.json").write_text(json.dumps(some))
    entries = {name: {"file_name": f"{name}.json"} for name in files}
    (folder / "dataset_info.json").write_text(json.dumps(entries))


def _weights(folder: Path, file: str, mark: str) -> None:
    header = json.dumps({"__metadata__": {"mark": mark}}).encode()
    (folder / file).write_bytes(len(header).to_bytes(8, "little") + header)


def _model(folder: Path, size: int, mark: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        **{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 512},
        **{"hidden_size": size, "intermediate_size": 2 * size, "num_hidden_layers": 2},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    _weights(folder, "model.safetensors", mark)


def _adapter(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        **{"base_model_name_or_path": "base", "r": 8, "lora_alpha": 16, "peft_type": "LORA"},
        "target_modules": ["v_proj", "q_proj"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    _weights(folder, "adapter_model.safetensors", "adapter")


def _checkpoint(folder: Path, step: int, *, is_adapter: bool) -> None:
    if is_adapter:
        _adapter(folder)
    else:
        _model(folder, 32, "trained")
    state = {"global_step": step, "epoch": step / 10, "max_steps": 10}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    (folder / "optimizer.pt").touch()
