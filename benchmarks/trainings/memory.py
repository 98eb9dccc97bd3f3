"""Memory estimates beside what real CPU trainings took, and beside LLaMA-Factory's own table.

`python benchmarks/trainings/memory.py [RUNS]`; RUNS: what memory_runs.py wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sftrecipe_registry.llamafactory.estimate.memory import memory_estimate
from sftrecipe_registry.llamafactory.estimate.model_shape import (
    shape_from_config,
    shape_from_name,
)
from sftrecipe_registry.llamafactory.estimate.training_setup import training_setup

RUNS = Path(__file__).with_name("memory_runs.jsonl")
HELD_OUT = ("wide",)
PUBLISHED = {
    "full, bf16 (fp32 states)": ({"finetuning_type": "full", "bf16": True}, (120, 240, 600)),
    "full, pure_bf16": ({"finetuning_type": "full", "pure_bf16": True}, (60, 120, 300)),
    "LoRA, 16 bits": ({"bf16": True}, (16, 32, 64)),
    "QLoRA, 8 bits": ({"bf16": True, "quantization_bit": 8}, (10, 20, 40)),
    "QLoRA, 4 bits": ({"bf16": True, "quantization_bit": 4}, (6, 12, 24)),
}
"""GB at 7B, 14B, 30B, by LLaMA-Factory's README, `Hardware Requirement` (estimated, it says)."""
SIZES = ("7B", "14B", "30B")


def main() -> None:
    """Print both tables."""
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print("| training | measured MB | estimate MB | off | held out |\n|---|---|---|---|---|")
    for line in runs.read_text().splitlines():
        _print_run(json.loads(line))
    print("\n| GB on a GPU, 1 row of 512 tokens | " + " | ".join(SIZES) + " |\n|---|---|---|---|")
    for name, (settings, told) in PUBLISHED.items():
        cells = []
        for size, theirs in zip(SIZES, told, strict=True):
            shape = shape_from_name(size)
            assert shape is not None
            given = {"per_device_train_batch_size": 1, **settings}
            setup = training_setup(given, shape, on_cpu=False)
            cells.append(f"{memory_estimate(given, setup, 512).peak / 1e9:.0f} ({theirs})")
        print(f"| {name} | " + " | ".join(cells) + " |")


def _print_run(run: Mapping[str, Any]) -> None:
    if run["status"]:
        return
    settings = run["settings"]
    shape = shape_from_config(run["config"])
    assert shape is not None
    setup = training_setup(settings, shape, on_cpu=True)
    found = memory_estimate(settings, setup, settings["cutoff_len"])
    held = any(each in run["name"] for each in HELD_OUT)
    estimate = max(found.training, found.loading)  # nothing was merged
    off = estimate / run["peak"] - 1
    cells = (f"{run['peak'] / 1e6:.0f}", f"{estimate / 1e6:.0f}", f"{off:+.1%}")
    name = run["name"] + (" (step 2 of 2 not ended)" if run.get("ended") is False else "")
    print(f"| {name} | " + " | ".join(cells) + f" | {'yes' if held else ''} |")


if __name__ == "__main__":
    main()
