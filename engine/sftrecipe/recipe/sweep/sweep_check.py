"""Checking a recipe's `sweep`: every variant before anything is spent, and that their figures can
be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from sftrecipe.errors import Position, Problem, is_wrong, unknown
from sftrecipe.plugin.judge import Judge
from sftrecipe.recipe.blocks import BlockDraft, block_drafts, crash_problem, of_section
from sftrecipe.recipe.checks.trained_models import trained_models
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.reader.layers import RecipeDocument
from sftrecipe.recipe.reader.node import Node, Path
from sftrecipe.recipe.recipe import Block, CheckedRecipe, Sweep, Variant
from sftrecipe.recipe.sweep.variants import (
    WrittenVariant,
    variant_names,
    with_value,
    written_variants,
)

Check = Callable[[RecipeDocument], tuple[CheckedRecipe | None, list[Problem]]]
"""Checks a whole recipe: it, or None, and its problems."""


class SweepCheck:
    """One `sweep` being checked."""

    def __init__(self, written: Node, document: RecipeDocument, check: Check) -> None:
        self._written = written
        self._document = document
        self._check = check
        self._drafts = block_drafts(document.root, [])

    def sweep(self, problems: list[Problem]) -> Sweep | None:
        """The sweep; None where it, or one of its variants, has problems. They join `problems`."""
        before = len(problems)
        metric = self._metric(problems)
        written = written_variants(self._written, self._document.root, self._drafts, problems)
        names = variant_names([variant.plain() for variant in written])
        known = {_identity(problem) for problem in problems}
        variants = []
        for name, variant in zip(names, written, strict=True):
            recipes, wrong = self._trainings(variant)
            problems.extend(
                self._in_variant(problem, name)
                for problem in wrong
                if _identity(problem) not in known
            )
            if all(recipes):
                trainings = tuple(recipe for recipe in recipes if recipe)
                variants.append(Variant(name, variant.plain(), trainings))
        if not variants or metric is None or len(variants) < len(written):
            return None
        problems.extend(self._incomparable(variants, metric[0].id))
        if is_wrong(problems[before:]):
            return None
        plain = self._written.plain()
        return Sweep(
            variants=tuple(variants),
            judge=metric[0].id,
            figure=metric[1],
            goal=plain["goal"],
            keep_models=plain.get("keep_models", "all"),
        )

    def _trainings(
        self, variant: WrittenVariant
    ) -> tuple[list[CheckedRecipe | None], list[Problem]]:
        """The variant's recipe with each seed, and what is wrong with it."""
        document = variant.lay_over(self._document)
        problems = list(document.problems)
        recipes = []
        for number in range(self._seeds()):
            recipe, wrong = self._check(self._with_seed(document, number))
            recipes.append(recipe)
            problems += wrong
        return recipes, problems

    def _seeds(self) -> int:
        seeds = self._written.get("seeds")
        wanted = seeds.value if seeds and isinstance(seeds.value, int) else 1
        return wanted if 0 < wanted <= 20 else 1

    def _with_seed(self, document: RecipeDocument, number: int) -> RecipeDocument:
        """The recipe whose trainings have the `number`-th seed after their own."""
        if not number:
            return document
        root = document.root
        place = self._written.keys["seeds"]
        for training in of_section(self._drafts, "train"):
            path: Path = (*training.path, "with", "seed")
            seed = Node(_seed(root, path) + number, place)
            root = with_value(root, path, seed, place)
        return replace(document, root=root, problems=[])

    def _in_variant(self, problem: Problem, name: str) -> Problem:
        """The problem; its hint names the variant where it has none or stands outside the sweep."""
        values = {**problem.values, "variant": name}
        here = problem.position in set(_places(self._written))
        return replace(problem, values=values, hint=(here and problem.hint) or "in-variant")

    def _metric(self, problems: list[Problem]) -> tuple[BlockDraft, str] | None:
        """The judge and the figure that `metric` names; None, and a problem, if there is none."""
        written = self._written.get("metric")
        if written is None or not isinstance(written.value, str):
            return None
        judges = of_section(self._drafts, "evaluate")
        named = [draft for draft in judges if written.value.startswith(f"{draft.id}.")]
        if not named:
            values = {"metric": written.value}
            ids, block = [judge.id for judge in judges], written.value.partition(".")[0]
            problems.append(unknown("sweep-metric", written.place, block, ids, **values))
            return None
        judge = max(named, key=lambda draft: len(draft.id))
        figure = written.value.removeprefix(f"{judge.id}.")
        try:
            known = _figures(judge)
        except Exception as error:
            problems.append(crash_problem(judge, self._document.root, error))
            return None
        if known is not None and figure not in known:
            values = {"metric": figure, "use": judge.use}
            figures = sorted(known)
            problems.append(unknown("unknown-metric", written.place, figure, figures, **values))
            return None
        return judge, figure

    def _incomparable(self, variants: Sequence[Variant], judge: str) -> Iterator[Problem]:
        """Variants that are the same, or that are not asked the same questions in the same way."""
        place = self._written.keys["over"]
        seen: dict[bytes, str] = {}
        for variant in variants:
            content = _deciding_content(variant.trainings[0])
            other = seen.setdefault(content, variant.name)
            if other != variant.name:
                yield Problem("sweep-same", place, {"variant": variant.name, "other": other})
        for what, slug in (("questions", "sweep-questions"), ("judge", "sweep-judge")):
            recipes = [variant.trainings[0] for variant in variants]
            different = {orjson.dumps(decided_by(recipe, judge)[what]) for recipe in recipes}
            if len(different) > 1:
                paths = ", ".join(variants[0].values)
                yield Problem(slug, place, {"path": paths, "judge": judge}, slug)


def _figures(judge: BlockDraft) -> frozenset[str] | None:
    return judge.plugin.metrics() if isinstance(judge.plugin, Judge) else None


def _seed(root: Node, path: Path) -> int:
    """The seed of a training: its own, or the recipe's."""
    node: Node | None = root
    for step in path:
        node = node.child(step) if node else None
    for seed in (node, root.get("seed")):
        if seed is not None and isinstance(seed.value, int):
            return seed.value
    default: int = RecipeShape.model_fields["seed"].default
    return default


def _deciding_content(recipe: CheckedRecipe) -> bytes:
    """What decides a variant's results: its document, variables aside, which stand in it."""
    document: dict[str, Any] = {k: v for k, v in recipe.document.items() if k != "vars"}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _identity(problem: Problem) -> tuple[object, ...]:
    return problem.slug, problem.position, problem.message("en")


def _places(node: Node) -> Iterator[Position]:
    """Where everything in it stands."""
    yield node.place
    yield from node.keys.values()
    items = node.value.values() if node.is_mapping else node.value if node.is_list else ()
    for item in items:
        yield from _places(item)


def decided_by(recipe: CheckedRecipe, judge: str) -> dict[str, Any]:
    """What decides the `questions` of a judge, and how the `judge` measures, as the recipe writes
    it."""
    block = next(block for block in recipe.evaluate if block.id == judge)
    upstream = _upstream(recipe, block.inputs)
    drawn = [recipe.seed, recipe.language] if _is_drawn(recipe, block.inputs) else []
    questions = [[maker.section, maker.id, maker.raw] for maker in upstream]
    return {"questions": [drawn, questions], "judge": [block.raw, _asked_providers(recipe, block)]}


def _asked_providers(recipe: CheckedRecipe, judge: Block) -> list[Any]:
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
    ) or any(set(block.thins) & set(streams) for block in recipe.filter)


def _upstream(recipe: CheckedRecipe, streams: tuple[str, ...]) -> list[Block]:
    """Every block, providers among them, that takes part in making the streams."""
    makers = recipe.stream_makers
    blocks: dict[tuple[str, str], Block] = {}
    waiting = list(streams)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        made = [makers[name]] if name in makers else []
        thinned = [block for block in recipe.filter if name in block.thins]
        for block in (*made, *thinned):
            blocks[block.section, block.id] = block
            waiting += [*block.inputs, *block.named_streams]
            for provider in block.asks.values():
                blocks["providers", provider] = recipe.providers[provider]
    return [blocks[key] for key in sorted(blocks)]
