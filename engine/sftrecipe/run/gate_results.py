"""A judge's figures, held against the recipe's gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sftrecipe.errors import SftrecipeError
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
    lines = [
        f"{step.id}: {text}"
        for step, facts in judged
        for text in _missed_lines(gate_results(step.block, facts))
    ]
    return SftrecipeError("gate-missed", missed="; ".join(lines)) if lines else None


def _missed_lines(results: Iterable[GateResult]) -> Iterator[str]:
    """What to tell of the gates that are not passed."""
    for each in results:
        if not each.passed:
            value = "not found" if each.value is None else f"{each.value:.4g}"
            ends = (("at least", each.at_least), ("at most", each.at_most))
            bounds = [f"{text} {bound:g}" for text, bound in ends if bound is not None]
            yield f"{each.metric} is {value}, asked {' and '.join(bounds)}"


def _passes(value: float | None, gate: Gate) -> bool:
    # Not `value < bound`: a figure that is no number passes nothing.
    return (
        value is not None
        and (gate.at_least is None or value >= gate.at_least)
        and (gate.at_most is None or value <= gate.at_most)
    )
