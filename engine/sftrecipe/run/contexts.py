"""The context of a block before it is given models and streams."""

from __future__ import annotations

from sftrecipe.plugin.context import Context
from sftrecipe.recipe.checked import Block, CheckedRecipe


def block_context(recipe: CheckedRecipe, block: Block) -> Context:
    """What a block's plugin knows from the recipe alone."""
    return Context(
        step=block.id,
        seed=recipe.seed,
        language=recipe.language,
        folder=recipe.path.parent,
        files=block.files,
    )
