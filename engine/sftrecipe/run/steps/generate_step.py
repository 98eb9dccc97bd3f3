"""Executing the generators."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.plugin.context import Context, Rows
from sftrecipe.plugin.plugin_kinds import Generator
from sftrecipe.run.steps.step_files import TellRows, write_rows
from sftrecipe.store.step_facts import StepFacts


async def make_by_generator(
    plugin: Generator, rows: Rows, ctx: Context, draft: Path, tell: TellRows
) -> StepFacts:
    """Run a generator into a step's folder."""
    return await write_rows(plugin.generate(rows, ctx), ctx, draft, tell)
