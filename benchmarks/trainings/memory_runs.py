"""Real CPU trainings by LLaMA-Factory, and the most memory that each held: `memory_runs.py OUT`.

Writes a line of JSON a training: its case, and the peak of its process (VmHWM, bytes).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_checkpoint

PYTHON = Path(os.environ.get("SFTRECIPE_TRAIN_ENV", ".env-llamafactory")) / "bin/python"
RANDOM = {
    "hidden_size": 512,
    "intermediate_size": 1792,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
}
WIDE = {
    "hidden_size": 512,
    "intermediate_size": 1408,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}
SMALL = {
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
}
KINDS = {
    "lora": {"finetuning_type": "lora"},
    "full": {"finetuning_type": "full"},
    "qlora": {"finetuning_type": "lora", "quantization_bit": 4},
}


def case(
    name: str, model: str, kind: str, cutoff: int, batch: int, checkpointing: bool, **others: Any
) -> dict[str, Any]:
    """One training."""
    return {
        "name": name,
        "model": model,
        "kind": kind,
        "settings": {
            **KINDS[kind],
            "cutoff_len": cutoff,
            "per_device_train_batch_size": batch,
            "disable_gradient_checkpointing": not checkpointing,
            **others,
        },
    }


CASES = [
    case("smol-lora-256", "embedded", "lora", 256, 1, True),
    case("smol-full-256", "embedded", "full", 256, 1, True),
    case("smol-lora-1024", "embedded", "lora", 1024, 1, True),
    case("smol-qlora-256", "embedded", "qlora", 256, 1, True),
    case("deep-lora-1024-kept", "deep", "lora", 1024, 1, False),
    case("small-full-1024-kept", "small", "full", 1024, 1, False),
    case("small-qlora-1024", "small", "qlora", 1024, 1, True),
    case("small-full-256x4", "small", "full", 256, 4, True),
]
HELD_OUT = [
    case("wide-full-1024", "wide", "full", 1024, 1, True),
    case("wide-qlora-256x4-kept", "wide", "qlora", 256, 4, False),
    case("wide-lora-1024-kept", "wide", "lora", 1024, 1, False, lora_rank=64),
    case("small-lora-256-evaluated", "small", "lora", 256, 1, True, val_size=8, do_eval=True),
]


def main() -> None:
    """Run them one after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--work", type=Path, default=Path("/tmp/D-memory"))
    parser.add_argument("--only")
    asked = parser.parse_args()
    done = {json.loads(line)["name"] for line in asked.out.open()} if asked.out.exists() else ()
    for one in CASES + HELD_OUT:
        if one["name"] in done:
            continue
        if asked.only and asked.only not in one["name"]:
            continue
        folder = asked.work / one["name"]
        folder.mkdir(parents=True, exist_ok=True)
        print(one["name"], end=" ", flush=True)
        began = time.monotonic()
        model = model_folder(one["model"], asked.work)
        one["model_folder"] = str(model)
        one["config"] = json.loads((model / "config.json").read_text())
        one["peak"], one["status"] = measured(one, folder)
        one["seconds"] = round(time.monotonic() - began)
        print(one["status"], one["peak"] / 1e6, one["seconds"], flush=True)
        with asked.out.open("a") as file:
            file.write(json.dumps(one) + "\n")


def model_folder(name: str, work: Path) -> Path:
    """The embedded model's folder, or one of random weights with its tokenizer."""
    embedded = packaged_checkpoint()
    if name == "embedded":
        return embedded
    folder = work / f"model-{name}"
    if (folder / "model.safetensors").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads((embedded / "config.json").read_text())
    config |= {"deep": RANDOM, "wide": WIDE, "small": SMALL}[name]
    config["head_dim"] = config["hidden_size"] // config["num_attention_heads"]
    for file in embedded.iterdir():
        if "token" in file.name or file.name == "generation_config.json":
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text(json.dumps(config))
    made = (
        "import sys, torch; from transformers import AutoConfig, AutoModelForCausalLM; "
        "c = AutoConfig.from_pretrained(sys.argv[1]); "
        "AutoModelForCausalLM.from_config(c, dtype=torch.bfloat16)"
        ".save_pretrained(sys.argv[1])"
    )
    subprocess.run([PYTHON, "-c", made, folder], check=True)
    return folder


def measured(one: dict[str, Any], folder: Path) -> tuple[int, int]:
    """The peak of the training's processes in bytes, and the exit status."""
    dice = random.Random(7)
    words = [
        f"{a}{b}" for a in ("water", "red", "light", "un", "over") for b in ("fall", "ing", "")
    ]
    length = one["settings"]["cutoff_len"]
    rows = [
        {
            "instruction": "Tell a story.",
            "input": "",
            "output": " ".join(dice.choices(words, k=length)),
        }
        for _ in range(32)
    ]
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
    settings = {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": one["model_folder"],
        "template": "smollm2",
        "dataset": "rows",
        "dataset_dir": ".",
        "output_dir": "model",
        "overwrite_output_dir": True,
        "overwrite_cache": True,
        "report_to": "none",
        "logging_steps": 1,
        "max_steps": 2,
        "learning_rate": 1e-4,
        "save_strategy": "no",
        **one["settings"],
    }
    (folder / "train.yaml").write_text(yaml.safe_dump(settings))
    variables = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["nice", str(PYTHON.absolute()), "-m", "llamafactory.cli", "train", "train.yaml"],
            cwd=folder,
            env=variables,
            stdout=log,
            stderr=log,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, high_water(process.pid))
            time.sleep(0.1)
    return peak, process.returncode


def high_water(pid: int) -> int:
    """The most that the process held so far, in bytes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) * 1024 if found else 0


if __name__ == "__main__":
    sys.exit(main())
