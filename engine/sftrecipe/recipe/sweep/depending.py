"""What the figures of a judge depend on beside the models: its questions, and the judge itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sftrecipe.recipe.checks.references import stream_makers, thinned_streams
from sftrecipe.recipe.checks.trained_models import trained_models
from sftrecipe.recipe.recipe import Block, CheckedRecipe


def decided_by(recipe: CheckedRecipe, judge: str) -> dict[str, Any]:
    """What decides the `questions` of a judge, and how the `judge` measures, as the recipe writes
    it."""
    block = next(each for each in recipe.evaluate if each.id == judge)
    upstream = _upstream(recipe, block.inputs)
    drawn = [recipe.seed, recipe.language] if _is_drawn(recipe, block.inputs) else []
    questions = [[each.section, each.id, each.raw] for each in upstream]
    return {"questions": [drawn, questions], "judge": [block.raw, _asked(recipe, block)]}


def _asked(recipe: CheckedRecipe, judge: Block) -> list[Any]:
    """The providers that the recipe defines and the judge asks, but those of what is trained."""
    defined = recipe.document.get("providers") or {}
    return [
        [name, recipe.providers[name].raw]
        for name in sorted({*judge.asks.values()} & {*defined})
        if not any(trained_models(recipe.providers[name].plugin))
    ]


def _is_drawn(recipe: CheckedRecipe, streams: tuple[str, ...]) -> bool:
    """Whether seed or language may decide a stream's rows: all but a whole source's."""
    return any(
        name not in recipe.sources or recipe.sources[name].raw.get("sample") for name in streams
    ) or any(set(each.inputs) & set(streams) for each in recipe.filter)


def _upstream(recipe: CheckedRecipe, streams: tuple[str, ...]) -> list[Block]:
    """Every block, providers among them, that takes part in making the streams."""
    makers = stream_makers(recipe)
    found: dict[tuple[str, str], Block] = {}
    waiting = list(streams)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        made = [makers[name]] if name in makers else []
        for block in (*made, *_thinning(recipe, name)):
            found[block.section, block.id] = block
            waiting += [*block.inputs, *block.named_streams]
            if block.provider:
                found["providers", block.provider] = recipe.providers[block.provider]
    return [found[key] for key in sorted(found)]


def _thinning(recipe: CheckedRecipe, stream: str) -> Iterator[Block]:
    """The blocks that thin a stream."""
    yield from (block for block in recipe.filter if stream in thinned_streams(block))
