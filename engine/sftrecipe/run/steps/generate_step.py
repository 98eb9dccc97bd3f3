"""Generators: they make rows, and ask for them."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.plan.steps import Step
from sftrecipe.plugin.plugin_kinds import Generator, RowGenerator
from sftrecipe.run.steps.step_files import write_rows
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.step_facts import StepFacts


class GenerateStep(StepRunner):
    """Makes the rows of a stream."""

    def rows_to_see(self, step: Step) -> int | None:
        """Those that it reads, where it makes something of each."""
        return super().rows_to_see(step) if isinstance(step.block.plugin, RowGenerator) else None

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Run the generator."""
        plugin, ctx = step.block.plugin, self.context_of(step)
        assert isinstance(plugin, Generator)  # noqa: S101 - the section's blocks are
        made = plugin.generate(self.rows_of(step), ctx)
        return await write_rows(made, ctx, draft, self.teller_of(step))
