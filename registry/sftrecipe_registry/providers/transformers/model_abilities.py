"""What a Hugging Face model folder can do, by its files, without loading it."""

from __future__ import annotations

import json
from pathlib import Path

from sftrecipe.plugin import Capability, open_regular

VALUE_HEADS = ("value_head.safetensors", "value_head.bin")
"""What LLaMA-Factory's stage rm leaves beside a model: it turns its states into rewards."""
_WRITERS = ("ForCausalLM", "LMHeadModel")
_RATERS = ("ForSequenceClassification",)
_WRITES: frozenset[Capability] = frozenset({"chat", "tools", "complete", "loglikelihood", "embed"})
_REWARDS: frozenset[Capability] = frozenset({"reward", "embed"})
_EMBEDS: frozenset[Capability] = frozenset({"embed"})


def model_abilities(folder: Path) -> frozenset[Capability]:
    """Everything where the folder does not tell."""
    try:
        with open_regular(folder / "config.json") as file:
            names = json.load(file)["architectures"]
        name = str(names[0])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return _WRITES | _REWARDS
    if name.endswith(_RATERS):
        return _REWARDS
    if not name.endswith(_WRITERS):
        return _EMBEDS
    rates = any((folder / head).exists() for head in VALUE_HEADS)
    return _WRITES | _REWARDS if rates else _WRITES
