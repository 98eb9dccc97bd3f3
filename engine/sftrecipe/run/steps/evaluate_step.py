"""Judges: they measure models, and their figures are held against the recipe's gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.judge import Judge
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.rows import RowWriter
from sftrecipe.store.step_facts import JudgementFacts, StepFacts
from sftrecipe.store.streams import Stream


class EvaluateStep(StepRunner):
    """Judges models; the judged items are the step's rows."""

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Run the judge."""
        plugin, ctx = step.block.plugin, self.context_of(step)
        assert isinstance(plugin, Judge)  # noqa: S101 - the section's blocks are
        judgement = await plugin.evaluate(self.rows_of(step), ctx)
        writer = RowWriter(draft / ROWS)
        try:
            for row in judgement.rows:
                writer.write(row)
        finally:
            writer.close()
        return StepFacts(
            made=writer.count,
            kept=writer.count,
            counts=dict(ctx.counts),
            judgement=JudgementFacts(dict(judgement.metrics), judgement.notes),
        )


def check_judges(steps: Sequence[Step], streams: Mapping[str, Stream]) -> None:
    """Raises SftrecipeError where a judge's rows are made already and there are none.

    A training before it would be paid for in vain.
    """
    for step in steps:
        made = [streams[name] for name in step.reads if name in streams]
        is_judge = isinstance(step.block.plugin, Judge)
        if is_judge and len(made) == len(step.reads) and not any(made):
            reads = ", ".join(step.reads)
            raise SftrecipeError(
                "nothing-would-be-judged", "hold-out-more", step=step.id, reads=reads
            )
