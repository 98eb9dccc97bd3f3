"""Whether a turn is learned, by the keys that trainers have for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sftrecipe.turns.faults import is_empty, unread_part

_SHARES = ("weight", "loss_weight", "loss_scale")
_LEARNED = ("train", "training", "trainable", "loss", "loss_mask")
_HIDDEN = ("masked",)
"""Not `mask`, which some set where a turn is learned, and others where it is not."""
TRAINED = frozenset((*_SHARES, *_LEARNED, *_HIDDEN))
"""The keys of OpenAI, axolotl, ms-swift, Mistral and others."""


def read_training(turn: Mapping[str, Any], role: str, where: str) -> bool:
    """False where a turn is not to be learned.

    Raises UnreadTurn for a share between all and nothing, for keys that contradict each other,
    and for a turn of somebody else than the assistant that is to be learned.
    """
    learned: bool | None = None
    for key in TRAINED & turn.keys():
        value = turn[key]
        if is_empty(value):
            continue
        if value not in (0, 1):
            raise unread_part(where, f"{key} {value!r}")
        wish = bool(value) != (key in _HIDDEN)
        if role != "assistant":
            if wish and key not in _SHARES:
                raise unread_part(where, f"{key} {value!r}")
            continue
        if learned is not None and wish != learned:
            raise unread_part(where, f"{key} {value!r}")
        learned = wish
    return learned is not False
