"""What a block is given before its streams: its context, the providers it asks, its budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sftrecipe.calls.limits.prices import priced_for
from sftrecipe.errors import UsageError
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.recipe import Block, Budget, CheckedRecipe


def block_context(recipe: CheckedRecipe, block: Block) -> Context:
    """What a block's plugin knows from the recipe alone."""
    return Context(
        step=block.id,
        seed=recipe.seed,
        language=recipe.language,
        folder=block.folder or recipe.path.parent,
        files=block.files,
    )


def providers_by_model(block: Block) -> dict[str, str]:
    """The providers that a block asks, by what its plugin calls their models: its own by `""`,
    those that its options name by their names."""
    named = {name: name for option, name in block.asks.items() if option}
    return named | ({"": block.provider} if block.provider else {})


def asked_providers(recipe: CheckedRecipe, blocks: Iterable[Block]) -> dict[str, Block]:
    """The recipe's providers that the blocks ask, in the recipe's order."""
    names = {name for block in blocks for name in block.asks.values()}
    return {name: block for name, block in recipe.providers.items() if name in names}


def step_budgets(recipe: CheckedRecipe, blocks: Sequence[Block]) -> dict[str, Budget]:
    """The budgets of the blocks that have one, by id.

    Raises UsageError when a `max_cost` could not be held: no price, or another currency's.
    """
    for _, error in unheld_costs(recipe, blocks):
        raise error
    return {block.id: block.budget for block in blocks if block.budget}


def unheld_costs(
    recipe: CheckedRecipe, blocks: Sequence[Block]
) -> Iterator[tuple[str, UsageError]]:
    """Each asked provider whose cost a `max_cost` of recipe or block cannot hold, and why."""
    told = set()
    asked = [(recipe.budget, name) for name in asked_providers(recipe, blocks)]
    asked += [(block.budget, name) for block in blocks for name in block.asks.values()]
    for budget, name in asked:
        provider = recipe.providers[name].plugin
        if isinstance(provider, Provider):
            try:
                priced_for(budget, name, provider)
            except UsageError as error:
                if str(error) not in told:
                    told.add(str(error))
                    yield name, error
