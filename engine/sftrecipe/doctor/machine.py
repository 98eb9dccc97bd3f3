"""What the recipe's plugins need of this machine, as they say themselves."""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe.doctor.finding import Finding
from sftrecipe.errors import Problem
from sftrecipe.recipe.recipe import Block, CheckedRecipe


def check_plugins_needs(recipe: CheckedRecipe) -> Iterator[Finding]:
    """Packages, programs, environments: block by block, the same need told once."""
    told = set()
    for block in _blocks(recipe):
        try:
            found = tuple(block.plugin.check_machine())
        except Exception as error:  # a third party's check must not end the others
            values = {"use": block.use, "error": f"{type(error).__name__}: {error}"}
            problem = Problem("doctor-check-failed", None, values, None)
            yield Finding("needs", block.id, "fault", problem, values)
            continue
        for each in found:
            if (block.use, each) not in told:
                told.add((block.use, each))
                needs = {"use": block.use, "text": each.found, "advice": each.advice}
                hint = "advice" if each.advice else None
                problem = Problem("doctor-needs", None, needs, hint)
                yield Finding("needs", block.id, each.state, problem, needs)


def _blocks(recipe: CheckedRecipe) -> Iterator[Block]:
    yield from recipe.providers.values()
    yield from recipe.sources.values()
    yield from recipe.generate
    yield from recipe.filter
    yield from (block for block in (recipe.mix, *recipe.export, *recipe.train) if block)
    yield from recipe.evaluate
