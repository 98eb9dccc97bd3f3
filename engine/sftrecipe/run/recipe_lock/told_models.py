"""What servers told of their models in replies: the ledger keeps the bodies as they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.calls.ledger.counted_calls import told_by_replies
from sftrecipe.recipe.checks.trained_models import trained_models
from sftrecipe.recipe.recipe import Block
from sftrecipe.run.recipe_lock.lock_contents import UNKNOWN, FactPath


def told_facts(
    providers: Mapping[str, Block], recipe: str, ledger: Path
) -> Iterator[tuple[FactPath, Any]]:
    """Model and fingerprint by provider; UNKNOWN where no reply to the recipe is in the ledger."""
    for name, block in providers.items():
        provider: Any = block.plugin
        if any(trained_models(provider)):  # all that replies call it is where it lies
            continue
        told = told_by_replies(ledger, recipe, block.use, provider.model_name())
        if told is None:
            yield ("told", name), UNKNOWN
            continue
        for part, values in told.items():
            if values:
                yield ("told", name, part), values if len(values) > 1 else values[0]
