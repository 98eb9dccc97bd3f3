"""A preview: a few rows through sources, generators and filters, kept nowhere but in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import islice, starmap
from pathlib import Path
from tempfile import TemporaryDirectory

from sftrecipe.calls.session import open_session
from sftrecipe.plan.steps import plan_recipe
from sftrecipe.plugin.context import Context, Reject, Rows
from sftrecipe.plugin.plugin_kinds import Generator
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.row_views import FirstRows
from sftrecipe.recipe.language.sections import OWN, SECTIONS
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.record import Record
from sftrecipe.run.contexts import asked_providers, step_budgets
from sftrecipe.run.execution.plan_execution import Execution
from sftrecipe.run.progress import Progress
from sftrecipe.run.rejects_file import RejectedRow, rejects
from sftrecipe.run.requirements import Need, fetch
from sftrecipe.run.run_state import RunState
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project

_BEHIND = [
    name
    for name, section in SECTIONS.items()
    if section.reach and section.makes != OWN and not section.thins
]
"""Sections of which nothing is made: all behind sources, generators and filters."""


@dataclass(frozen=True)
class Preview:
    """What a preview made."""

    rows: dict[str, list[Record]]
    """By generated stream, after the filters."""
    lost: list[RejectedRow]
    """Rejects, as `rejects.jsonl` has them."""


class _FewRows(Generator):
    """A generator that stops after so many rows, and so many rejects."""

    inner: Generator
    count: int

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """The first rows that the generator makes."""
        ctx.concurrency = 1
        kept = lost = 0
        first = FirstRows(rows, self.count) if self.inner.scope == "row" else rows
        made = self.inner.generate(first, ctx)
        async for item in made:
            yield item
            kept, lost = kept + isinstance(item, Record), lost + isinstance(item, Reject)
            if kept >= self.count or lost >= 2 * self.count:
                break
        await made.aclose()  # type: ignore[attr-defined]


async def preview_rows(
    recipe: CheckedRecipe, project: Project, count: int, progress: Progress
) -> Preview:
    """Make about `count` rows with every generate block. Raises what a run raises."""
    changed = {
        "providers": tuple(map(_at_once, recipe.providers.values())),
        "generate": tuple(_few(block, count) for block in recipe.generate),
        **dict.fromkeys(_BEHIND, ()),
    }
    few = replace(recipe, sections={**recipe.sections, **changed})
    plan = plan_recipe(few, project)
    asked = asked_providers(few, [step.block for step in plan.steps])
    await asyncio.to_thread(fetch, starmap(Need, asked.items()), progress.line)
    blocks = [step.block for step in plan.steps]
    with TemporaryDirectory() as folder:
        plan = replace(plan, store=StepStore(Path(folder) / "steps"))
        async with open_session(
            asked,
            project.ledger,
            run=recipe.name,
            budget=recipe.budget,
            step_budgets=step_budgets(recipe, blocks),
            progress=progress.line,
            recipe=recipe.in_commands,
        ) as session:
            run = RunState(plan, Path(folder), session, progress)
            return await Execution(run).execute(lambda: _preview(run, count))


def _preview(run: RunState, count: int) -> Preview:
    names = [block.id for block in run.plan.recipe.generate] or list(run.streams)
    rows = {name: list(islice(run.streams[name], count)) for name in names}
    return Preview(rows, list(islice(rejects(run), 5 * count)))


def _few(block: Block, count: int) -> Block:
    plugin = block.plugin
    if not isinstance(plugin, Generator):
        return block
    return replace(block, plugin=_FewRows.model_construct(inner=plugin, count=count))


def _at_once(block: Block) -> Block:
    """A provider that answers while somebody looks on."""
    plugin = block.plugin
    return replace(block, plugin=plugin.at_once()) if isinstance(plugin, Provider) else block
