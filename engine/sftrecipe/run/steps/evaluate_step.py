"""Judges: they measure models, and their figures are held against the recipe's gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.judge import Judge
from sftrecipe.recipe.recipe import Block, Gate
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


def gate_results(block: Block, facts: StepFacts) -> list[dict[str, Any]]:
    """Every gate of the block, with the figure and whether it passes."""
    found = facts.metrics
    return [
        {
            "metric": metric,
            "value": found.get(metric),
            "at_least": gate.at_least,
            "at_most": gate.at_most,
            "passed": _passes(found.get(metric), gate),
        }
        for metric, gate in block.gates.items()
    ]


def missed_gates(judged: Iterable[tuple[Step, StepFacts]]) -> SftrecipeError | None:
    """The error of all figures that are worse than the recipe asks; None where none is."""
    lines = [
        f"{step.id}: {text}"
        for step, facts in judged
        if step.block.gates
        for text in _missed_lines(gate_results(step.block, facts))
    ]
    return SftrecipeError("gate-missed", missed="; ".join(lines)) if lines else None


def _missed_lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """What to tell of the gates that are not passed."""
    for each in results:
        if not each["passed"]:
            value = "not found" if each["value"] is None else f"{each['value']:.4g}"
            bounds = [
                f"{text} {each[key]:g}"
                for key, text in (("at_least", "at least"), ("at_most", "at most"))
                if each[key] is not None
            ]
            yield f"{each['metric']} is {value}, asked {' and '.join(bounds)}"


def _passes(value: float | None, gate: Gate) -> bool:
    # Not `value < bound`: a figure that is no number passes nothing.
    return (
        value is not None
        and (gate.at_least is None or value >= gate.at_least)
        and (gate.at_most is None or value <= gate.at_most)
    )
