"""Settings with which a training fits into a memory: tried by the estimate, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sftrecipe_registry.llamafactory.estimate.memory import cutoff_of
from sftrecipe_registry.llamafactory.estimate.training_setup import (
    Settings,
    evaluation_rows,
    train_rows,
)

_SHORTEST = 256
_SHOWN = 3

Peak = Callable[[Settings], int]


class Fit(NamedTuple):
    """Settings in the place of others, and the bytes that it then takes."""

    settings: Mapping[str, Any]
    peak: int


def fits(settings: Settings, longest: int, memory: int, peak: Peak) -> list[Fit]:
    """Changes that make it fit, one alone where one is enough, else several together.

    `longest`: tokens of the longest row; `peak`: bytes that settings take. Empty: nothing of what
    is known here makes it fit.
    """
    single = [
        Fit(change, found)
        for change in _changes(settings, longest)
        if (found := peak({**settings, **change})) <= memory
    ]
    if single:
        return _without_weaker(single)[:_SHOWN]
    together: dict[str, Any] = {}
    for change in _changes(settings, longest):
        together |= change
        found = peak({**settings, **together})
        if found <= memory:
            return [Fit(together, found)]
    return []


def _without_weaker(found: list[Fit]) -> list[Fit]:
    """Of several lengths the longest."""
    seen, kept = set[frozenset[str]](), []
    for fit in found:
        names = frozenset(fit.settings)
        if names not in seen:
            seen.add(names)
            kept.append(fit)
    return kept


def _changes(settings: Settings, longest: int) -> Iterator[dict[str, Any]]:
    """What costs the least first: batches, checkpointing, lengths, then the method."""
    if evaluation_rows(settings) > 1:
        yield {"per_device_eval_batch_size": 1}
    if settings.get("disable_gradient_checkpointing") is True:
        yield {"disable_gradient_checkpointing": False}
    if (rows := train_rows(settings)) > 1:
        accumulation = settings.get("gradient_accumulation_steps", 1)
        steps = accumulation if isinstance(accumulation, int) else 1
        yield {"per_device_train_batch_size": 1, "gradient_accumulation_steps": rows * steps}
    length = 1 << (min(longest, cutoff_of(settings)) - 1).bit_length() >> 1
    while length >= _SHORTEST:
        yield {"cutoff_len": length}
        length //= 2
    method = settings.get("finetuning_type", "lora")
    if method == "full":
        yield {"finetuning_type": "lora"}
    if settings.get("quantization_bit") is None and method in ("full", "lora"):
        yield {"finetuning_type": "lora", "quantization_bit": 4}
