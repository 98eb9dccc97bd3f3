"""The disk that a training takes: its checkpoints, and the model that it leaves."""

from __future__ import annotations

from sftrecipe_registry.llamafactory.arguments.schedule import interval
from sftrecipe_registry.llamafactory.estimate.training_setup import Settings, TrainingSetup

_OF_A_MODEL = 8_000_000
"""Tokenizer, logs and curves beside a checkpoint's weights."""


def disk_bytes(settings: Settings, setup: TrainingSetup, steps: int) -> int:
    """Bytes at the most while it trains, or when it is done.

    A checkpoint holds what is trained, or the whole model, and the optimiser's moments; the newest
    is written before the oldest of `save_total_limit` goes.
    """
    shape = setup.shape
    if setup.own:
        weights = (shape.parameters - setup.own) * shape.type_bytes + setup.own * 4
    else:
        weights = setup.adapter * 4
    moments = 2.0 if setup.moments is None else setup.moments
    states = 0 if settings.get("save_only_model") is True else setup.trained * moments * 4
    checkpoints = kept_checkpoints(settings, steps)
    merged = 0 if setup.own else shape.parameters * shape.type_bytes
    each = weights + round(states) + _OF_A_MODEL
    return checkpoints * each + weights + merged + _OF_A_MODEL


def kept_checkpoints(settings: Settings, steps: int) -> int:
    """Checkpoints that lie there together at the most."""
    strategy = settings.get("save_strategy", "steps")
    if strategy in ("no", False) or steps <= 0:
        return 0
    if strategy == "epoch":
        epochs = settings.get("num_train_epochs", 3.0)
        made = max(1, int(epochs) if isinstance(epochs, int | float) else 3)
    else:
        every = interval(settings, "save_steps", steps)
        made = steps // every + (1 if steps % every else 0)
    limit = settings.get("save_total_limit")
    if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0:
        return min(made, limit + 1)
    return made
