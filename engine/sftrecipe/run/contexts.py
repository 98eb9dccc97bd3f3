"""What a block is given before its streams: its context, the providers it asks, its budget."""

from __future__ import annotations

from collections.abc import Sequence

from sftrecipe.calls.prices import priced_for
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.options import ProviderMarker, marked
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.checked import Block, Budget, CheckedRecipe


def block_context(recipe: CheckedRecipe, block: Block) -> Context:
    """What a block's plugin knows from the recipe alone."""
    return Context(
        step=block.id,
        seed=recipe.seed,
        language=recipe.language,
        folder=recipe.path.parent,
        files=block.files,
    )


def asked_by(block: Block) -> dict[str, str]:
    """The providers that a block asks: its own under `""`, those that its options name."""
    named = [value for _, mark, value in marked(block.plugin) if isinstance(mark, ProviderMarker)]
    return {name: name for name in named} | ({"": block.provider} if block.provider else {})


def step_budgets(recipe: CheckedRecipe, blocks: Sequence[Block]) -> dict[str, Budget]:
    """The budgets of the blocks that have one, by id.

    Raises UsageError when a `max_cost` could not be held: no price, or another currency's.
    """
    found = {block.id: block.budget for block in blocks if block.budget}
    for block in blocks:
        for name in asked_by(block).values():
            provider = recipe.providers[name].plugin
            if isinstance(provider, Provider):
                priced_for(block.budget, name, provider)
    return found
