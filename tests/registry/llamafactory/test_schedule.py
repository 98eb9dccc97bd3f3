"""The steps that transformers takes, counted before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from sftrecipe_registry.llamafactory.arguments.schedule import (
    interval,
    schedule,
    split_rows,
    training_processes,
    warmup_steps,
)


@pytest.mark.parametrize(
    ("settings", "examples", "processes", "steps", "an_epoch", "rows_a_step"),
    [
        ({}, 100, 1, 39, 13, 8),
        ({"per_device_train_batch_size": 1, "num_train_epochs": 1}, 10, 1, 10, 10, 1),
        ({"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}, 10, 1, 6, 2, 8),
        ({"per_device_train_batch_size": 2, "gradient_accumulation_steps": 64}, 10, 1, 3, 1, 128),
        ({"dataloader_drop_last": True}, 7, 1, 0, 0, 8),
        ({"dataloader_drop_last": True, "num_train_epochs": 1.5}, 20, 1, 3, 2, 8),
        ({"max_steps": 5}, 100, 1, 5, 13, 8),
        ({"max_steps": 0}, 100, 1, 0, 13, 8),
        ({}, 100, 4, 12, 4, 32),
        ({"stage": "ppo", "per_device_train_batch_size": 2}, 9, 1, 12, 4, 2),
        ({"per_device_train_batch_size": "four"}, 16, 1, 6, 2, 8),
    ],
    ids=str,
)
def test_steps(
    settings: dict[str, Any],
    examples: int,
    processes: int,
    steps: int,
    an_epoch: int,
    rows_a_step: int,
) -> None:
    found = schedule(settings, examples, processes)
    assert (found.steps, found.steps_an_epoch, found.rows_a_step) == (steps, an_epoch, rows_a_step)


def test_epochs_are_told_of_steps() -> None:
    assert schedule({"max_steps": 5}, 80).epochs == 0.5
    assert schedule({}, 0).epochs == 0


def test_what_is_taken_to_evaluate() -> None:
    assert split_rows({"val_size": 0.1}, 95) == (85, 10)
    assert split_rows({"val_size": 30}, 95) == (65, 30)
    assert split_rows({"val_size": 1}, 5) == (4, 1)
    assert split_rows({}, 5) == (5, 0)


def test_shares_of_all_steps() -> None:
    assert warmup_steps({"warmup_ratio": 0.1}, 25) == 3
    assert warmup_steps({"warmup_steps": 0.5}, 25) == 13
    assert warmup_steps({"warmup_ratio": 0.1, "warmup_steps": 20}, 25) == 3
    assert interval({"save_steps": 0.1}, "save_steps", 25) == 3
    assert interval({"logging_steps": 7}, "eval_steps", 25) == 7
    assert interval({}, "save_steps", 25) == 500


def test_a_process_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NPROC_PER_NODE", "NNODES", "FORCE_TORCHRUN"):
        monkeypatch.delenv(name, raising=False)
    assert [training_processes(gpus, {}) for gpus in (0, 1, 4)] == [1, 1, 4]
    monkeypatch.setenv("NNODES", "2")
    assert training_processes(4, {}) == 8
