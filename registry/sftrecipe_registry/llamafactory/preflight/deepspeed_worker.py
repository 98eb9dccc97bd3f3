"""Reads a DeepSpeed configuration with DeepSpeed itself: `python deepspeed_worker.py FILE_OR_JSON`.

A process of the training environment. What it refuses, or null, is printed as one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_FILLED = {"train_batch_size": 8, "train_micro_batch_size_per_gpu": 8, "betas": [0.9, 0.999]}
_FILLED |= {"enabled": False, "device": "cpu", "nvme_path": "/tmp"}  # noqa: S108 - a name alone


def filled(value: Any, name: str = "") -> Any:
    """The configuration with a value of the right type for every `auto`."""
    if isinstance(value, dict):
        return {key: filled(each, key) for key, each in value.items()}
    return _FILLED.get(name, 1) if value == "auto" else value


def refusal(config: dict[str, Any]) -> str | None:
    """What DeepSpeed says of the configuration; None: it takes it."""
    # The batch sizes are transformers' to compare.
    sizes = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
    rest = {key: value for key, value in filled(config).items() if key not in sizes}
    from deepspeed.runtime.config import (  # type: ignore[import-not-found]  # noqa: PLC0415
        DeepSpeedConfig,
    )

    try:
        DeepSpeedConfig({**rest, "train_micro_batch_size_per_gpu": 1})
    except Exception as error:  # whatever it raises is what it stops with
        return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
    return None


def main() -> None:
    """Print what is refused."""
    text = sys.argv[1] if sys.argv[1].lstrip().startswith("{") else Path(sys.argv[1]).read_text()
    found = refusal(json.loads(text))
    print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
