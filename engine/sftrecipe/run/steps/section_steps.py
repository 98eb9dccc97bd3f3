"""Every section that a run goes through, with what executes its steps."""

from __future__ import annotations

from collections.abc import Mapping

from sftrecipe.plan.steps import Step
from sftrecipe.run.steps.evaluate_step import EvaluateStep
from sftrecipe.run.steps.export_step import ExportStep
from sftrecipe.run.steps.filter_step import FilterStep
from sftrecipe.run.steps.generate_step import GenerateStep
from sftrecipe.run.steps.mix_step import MixStep
from sftrecipe.run.steps.source_step import SourceStep
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.run.steps.train_step import TrainStep

STEPS: Mapping[str, type[StepRunner]] = {
    "sources": SourceStep,
    "generate": GenerateStep,
    "filter": FilterStep,
    "mix": MixStep,
    "export": ExportStep,
    "train": TrainStep,
    "evaluate": EvaluateStep,
}


def runner_of(step: Step) -> type[StepRunner]:
    """What executes a step."""
    return STEPS[step.block.section]
