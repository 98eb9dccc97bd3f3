"""A judge's figures, held against the recipe's gates and against the judge's own limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from sftrecipe.plugin.judge import ROWS_JUDGED, Judge
from sftrecipe.recipe.recipe import Block, Gate
from sftrecipe.store.json_fields import field_of
from sftrecipe.store.step_facts import StepFacts

_LOST = "invalid"


@dataclass(frozen=True)
class GateResult:
    """A gate, or a judge's limit, with the figure that came of it."""

    metric: str
    value: float | None
    """None where the judge did not tell it."""
    at_least: float | None
    at_most: float | None
    passed: bool
    low: float | None = None
    high: float | None = None
    """The ends of the figure's interval, where it has one."""
    by: Literal["interval", "point", "limit"] = "point"
    """What was held: the whole interval, the figure alone, or, of a limit, that the interval does
    not lie above it."""
    rows: int | None = None
    """The rows with a verdict."""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written of it; before there were intervals, the figure alone was held."""
        by = found.get("by")
        return cls(
            metric=field_of(found, "metric", ""),
            value=found.get("value"),
            at_least=found.get("at_least"),
            at_most=found.get("at_most"),
            passed=field_of(found, "passed", False),
            low=found.get("low"),
            high=found.get("high"),
            by=by if by in ("interval", "limit") else "point",
            rows=found.get("rows"),
        )


def rows_judged(made: int, metrics: Mapping[str, float]) -> int:
    """The rows with a verdict, of those that a judge returned."""
    return made - int(metrics.get(_LOST, 0))


def gate_results(block: Block, facts: StepFacts) -> list[GateResult]:
    """Every gate of the block, with the figure and whether it passes; where there is one, also the
    judge's limits that it names none for."""
    limits = {each.metric: each for each in limit_results(block, facts)}
    found = [
        limits[metric] if metric in limits and _is_limit(gate) else _result(metric, gate, facts)
        for metric, gate in block.gates.items()
    ]
    if block.gates:
        told = (each for each in limits.values() if each.value is not None)
        found += [each for each in told if each.metric not in block.gates]
    return found


def limit_results(block: Block, facts: StepFacts) -> list[GateResult]:
    """The judge's limits, at what the block's gates set them to: above, the judging is spoiled.

    One whose figure the judge did not find is passed, and its value None.
    """
    return list(_limit_results(block, facts))


def _limit_results(block: Block, facts: StepFacts) -> Iterator[GateResult]:
    if not isinstance(block.plugin, Judge):
        return
    for metric, own in block.plugin.limits().items():
        gate = block.gates.get(metric)
        if gate and not _is_limit(gate):
            continue
        most = own if gate is None else gate.at_most
        value, low, high = _figure(metric, facts)
        surely = value if low is None else low
        passed = surely is None or most is None or surely <= most
        rows = rows_judged(facts.made, facts.metrics)
        yield GateResult(metric, value, None, most, passed, low, high, "limit", rows)


def _is_limit(gate: Gate) -> bool:
    """Whether it sets a limit of the judge to another number, and asks nothing else."""
    return gate.by == "interval" and gate.at_least is None


def _result(metric: str, gate: Gate, facts: StepFacts) -> GateResult:
    value, low, high = _figure(metric, facts)
    by: Literal["interval", "point"] = "point" if low is None else gate.by
    least, most = (low, high) if by == "interval" else (value, value)
    # Not `least < bound`: a figure that is no number passes nothing.
    passed = (
        least is not None
        and most is not None
        and (gate.at_least is None or least >= gate.at_least)
        and (gate.at_most is None or most <= gate.at_most)
    )
    rows = rows_judged(facts.made, facts.metrics)
    return GateResult(metric, value, gate.at_least, gate.at_most, passed, low, high, by, rows)


def _figure(metric: str, facts: StepFacts) -> tuple[float | None, float | None, float | None]:
    """A figure and the ends of its interval."""
    metrics = facts.metrics
    if metric == ROWS_JUDGED and metric not in metrics:
        return float(rows_judged(facts.made, metrics)), None, None
    ends = metrics.get(f"{metric}_low"), metrics.get(f"{metric}_high")
    return metrics.get(metric), *(ends if None not in ends else (None, None))
