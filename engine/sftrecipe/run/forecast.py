"""The forecast of a run: its plan, held against the store, the sources and the ledger."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.calls.prices import price_of
from sftrecipe.calls.totals import mean_tokens
from sftrecipe.plan.estimate import Estimate, Known, PerCall, estimate
from sftrecipe.plan.staleness import standings
from sftrecipe.plan.steps import Step, plan_recipe
from sftrecipe.plugin.kinds import Source
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.checked import CheckedRecipe
from sftrecipe.record import Record
from sftrecipe.run.contexts import block_context
from sftrecipe.run.reading import read_source
from sftrecipe.run.results import parts_before, read_run
from sftrecipe.store.project import Project
from sftrecipe.store.steps import StepStore

_COUNTED_BYTES = 32 * 1024 * 1024
"""Sources up to this size are read to count their rows."""


def forecast(recipe: CheckedRecipe, project: Project, out: Path) -> list[Estimate]:
    """What every step of the recipe would do now. Asks no model."""
    plan = plan_recipe(recipe, project)
    store = StepStore(project.steps)
    standing = standings(plan, store, parts_before(read_run(out)))
    stale = [step for step in plan.steps if step.id in standing and not standing[step.id].cached]
    source_rows = {step.id: count for step in stale if (count := _count(step, recipe)) is not None}
    providers = {
        name: block.plugin
        for name, block in recipe.providers.items()
        if isinstance(block.plugin, Provider)
    }
    measured = {
        name: PerCall(*found)
        for name, plugin in providers.items()
        if (found := mean_tokens(project.ledger, plugin.model_name()))
    }
    prices = {name: price_of(plugin) for name, plugin in providers.items()}
    return estimate(plan, standing, store, Known(source_rows, measured, prices))


def _count(step: Step, recipe: CheckedRecipe) -> int | None:
    """Rows of a source that is small enough to be read for it."""
    plugin, files = step.block.plugin, step.block.files
    if not isinstance(plugin, Source):
        return None
    paths = [Path(path) for path in files.paths.values()]
    if not paths or any(path.is_dir() or path.stat().st_size > _COUNTED_BYTES for path in paths):
        return None
    ctx = block_context(recipe, step.block)
    return sum(isinstance(item, Record) for item in read_source(plugin, ctx))
