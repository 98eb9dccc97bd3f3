"""How many steps a training takes, and when it warms up, logs, evaluates and saves.

Follows transformers 5.6 (trainer.py `set_initial_training_values`, training_args.py) and
LLaMA-Factory 0.9.5 (data/data_utils.py `split_dataset`, train/ppo/trainer.py, launcher.py).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEFAULTS: Mapping[str, float] = {
    **{"cutoff_len": 2048, "lora_rank": 8, "galore_rank": 16, "apollo_rank": 16},
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "logging_steps": 500,
    "save_steps": 500,
    "ppo_buffer_size": 1,
    "warmup_steps": 0,
    "warmup_ratio": 0,
}
"""What these arguments are where the settings do not say."""


@dataclass(frozen=True)
class Schedule:
    """The steps of one training."""

    examples: int
    """What an epoch goes over: rows, or blocks where they are packed."""
    rows_a_step: int
    """Examples that a step takes, on all devices together."""
    steps_an_epoch: int
    steps: int
    """All steps; 0: nothing is trained."""
    warmup_steps: int

    @property
    def epochs(self) -> float:
        """How often every row is seen."""
        return self.steps / self.steps_an_epoch if self.steps_an_epoch else 0.0


def number(settings: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A numeric argument, or its default where it is missing or no number."""
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return _DEFAULTS[name] if default is None else default
    return float(value)


def split_rows(settings: Mapping[str, Any], rows: int) -> tuple[int, int]:
    """Of so many rows those that are trained on, and those that `val_size` takes to evaluate."""
    size = settings.get("val_size")
    if number(settings, "val_size", 0.0) <= 1e-6:
        return rows, 0
    is_share, size = isinstance(size, float) and size <= 1, number(settings, "val_size", 0.0)
    taken = min(math.ceil(size * rows) if is_share else int(size), rows)
    return rows - taken, taken


def schedule(settings: Mapping[str, Any], examples: int, processes: int = 1) -> Schedule:
    """The steps of a training on so many examples, `val_size` taken off already.

    `settings`: LLaMA-Factory's arguments; `examples`: see Schedule; `processes`: see
    `training_processes`.
    """
    batch = max(int(number(settings, "per_device_train_batch_size")), 1)
    accumulation = max(int(number(settings, "gradient_accumulation_steps")), 1)
    drops = settings.get("dataloader_drop_last") is True
    if settings.get("stage") == "ppo":  # a step is a whole buffer, and what fills none is left
        batch *= accumulation * max(int(number(settings, "ppo_buffer_size")), 1)
        accumulation, drops = 1, True
    batches = _divided(_divided(examples, batch, drops), processes, drops)
    an_epoch = max(math.ceil(batches / accumulation), 1) if batches else 0
    most = int(number(settings, "max_steps"))
    steps = math.ceil(number(settings, "num_train_epochs") * an_epoch) if most < 0 else most
    steps = steps if an_epoch else 0
    return Schedule(
        examples=examples,
        rows_a_step=batch * accumulation * processes,
        steps_an_epoch=an_epoch,
        steps=steps,
        warmup_steps=warmup_steps(settings, steps),
    )


def warmup_steps(settings: Mapping[str, Any], steps: int) -> int:
    """Steps in which the learning rate rises; `warmup_ratio` goes before `warmup_steps`."""
    ratio = settings.get("warmup_ratio")
    given = number(settings, "warmup_steps" if ratio is None else "warmup_ratio", 0.0)
    return int(given) if given >= 1 else math.ceil(steps * given)


def interval(settings: Mapping[str, Any], name: str, steps: int) -> int:
    """Steps between two times of `save_steps`, `logging_steps` or `eval_steps`.

    A number below 1 is a share of all steps.
    """
    given = number(settings, "logging_steps" if name == "eval_steps" else name)
    if name == "eval_steps" and settings.get(name):
        given = number(settings, name, given)
    return max(math.ceil(steps * given) if given < 1 else int(given), 1)


def training_processes(gpus: int, settings: Mapping[str, Any]) -> int:
    """Processes that LLaMA-Factory's launcher starts: one a GPU of every node."""
    alone = settings.get("use_cpu") is True or gpus < 2
    here = os.environ.get("NPROC_PER_NODE", "")
    forced = os.environ.get("FORCE_TORCHRUN", "").lower() in ("true", "y", "1")
    nodes = os.environ.get("NNODES", "")
    if alone and not forced:
        return 1
    a_node = int(here) if here.isdecimal() else max(gpus, 1)
    return max(a_node, 1) * (int(nodes) if nodes.isdecimal() else 1)


def _divided(amount: int, by: int, drops: bool) -> int:
    return amount // by if drops else math.ceil(amount / by)
