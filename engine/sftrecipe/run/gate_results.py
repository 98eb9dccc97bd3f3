"""A judge's figures, held against the recipe's gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Text, own_text
from sftrecipe.plan.steps import Step
from sftrecipe.recipe.recipe import Block, Gate
from sftrecipe.store.json_fields import field_of
from sftrecipe.store.step_facts import StepFacts


@dataclass(frozen=True)
class GateResult:
    """A gate with the figure that came of it."""

    metric: str
    value: float | None
    """None where the judge did not tell it."""
    at_least: float | None
    at_most: float | None
    passed: bool

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it."""
        return cls(
            metric=field_of(found, "metric", ""),
            value=found.get("value"),
            at_least=found.get("at_least"),
            at_most=found.get("at_most"),
            passed=field_of(found, "passed", False),
        )


def gate_results(block: Block, facts: StepFacts) -> list[GateResult]:
    """Every gate of the block, with the figure and whether it passes."""
    return [
        GateResult(
            metric=metric,
            value=facts.metrics.get(metric),
            at_least=gate.at_least,
            at_most=gate.at_most,
            passed=_passes(facts.metrics.get(metric), gate),
        )
        for metric, gate in block.gates.items()
    ]


def missed_gates(judged: Iterable[tuple[Step, StepFacts]]) -> SftrecipeError | None:
    """The error of all figures that are worse than the recipe asks; None where none is."""
    missed = tuple(
        _miss_text(step.id, result)
        for step, facts in judged
        for result in gate_results(step.block, facts)
        if not result.passed
    )
    return SftrecipeError("gate-missed", missed=missed) if missed else None


def _miss_text(step: str, result: GateResult) -> Text:
    """What to tell of a gate that is not passed."""
    ends = (("outcome-at-least", result.at_least), ("outcome-at-most", result.at_most))
    bounds = [own_text(slug, bound=f"{bound:g}") for slug, bound in ends if bound is not None]
    asked, *upper = bounds
    if upper:
        asked = own_text("gate-both", least=asked, most=upper[0])
    if result.value is None:
        return own_text("gate-without-figure", step=step, metric=result.metric, bounds=asked)
    value = f"{result.value:.4g}"
    return own_text("gate-below", step=step, metric=result.metric, value=value, bounds=asked)


def _passes(value: float | None, gate: Gate) -> bool:
    # Not `value < bound`: a figure that is no number passes nothing.
    return (
        value is not None
        and (gate.at_least is None or value >= gate.at_least)
        and (gate.at_most is None or value <= gate.at_most)
    )
