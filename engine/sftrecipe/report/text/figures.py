"""Figures of trainings and judges: each with its interval, and those that are told in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sftrecipe.messages import message
from sftrecipe.run.gate_results import GateResult

_ENDS = ("_low", "_high")
_FIRST = ("train_loss", "eval_loss", "accuracies", "accuracy", "margins")
"""What a training is told by: these names, or names that end so, in this order."""
_NOT_TOLD = ("runtime", "per_second", "total_flos", "epoch")
"""How a training went, not what it came to."""

_LOST = "invalid"

FEW_ROWS = 30
"""The bootstrap's percentiles are too near to each other on fewer rows than about this."""


@dataclass(frozen=True)
class Figure:
    """A figure, with the ends of its interval where it has one."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """`winning_score 1.25 (1.05 to 1.41)`."""
        told = f"{self.name} {self.value:.4g}"
        if self.low is None or self.high is None:
            return told
        ends = {"least": f"{self.low:.4g}", "most": f"{self.high:.4g}"}
        return f"{told} ({message('plan-range', ends)})"


def few_rows(rows: int, metrics: Mapping[str, float]) -> int | None:
    """The rows with a verdict, of those that a judge returned, where intervals over them come out
    too narrow; None where there are enough, or it returns none."""
    valid = rows - int(metrics.get(_LOST, 0))
    return valid if rows > 0 and valid < FEW_ROWS else None


def figures(metrics: Mapping[str, float]) -> list[Figure]:
    """All figures, `NAME_low` and `NAME_high` taken as the interval of `NAME`."""
    known = [name for name in metrics if all(name + end in metrics for end in _ENDS)]
    ends = {name + end for name in known for end in _ENDS}
    return [
        Figure(name, value, *(metrics[name + end] for end in _ENDS if name in known))
        for name, value in metrics.items()
        if name not in ends
    ]


def main_figures(metrics: Mapping[str, float], most: int = 4) -> Sequence[Figure]:
    """The figures that say most: losses, what has an interval, the others; and always the rows that
    could not be judged, where there are any."""
    told = [each for each in figures(metrics) if not each.name.endswith(_NOT_TOLD)]
    ranked = sorted(told, key=_rank)
    return [*ranked[:most], *(each for each in ranked[most:] if each.name == _LOST and each.value)]


def gate_text(gate: GateResult) -> str:
    """`gate passed: winning_score 1.25, at least 1`."""
    value = "?" if gate.value is None else f"{gate.value:.4g}"
    bounds = [
        message(f"outcome-{end}", {"bound": f"{bound:g}"})
        for end, bound in (("at-least", gate.at_least), ("at-most", gate.at_most))
        if bound is not None
    ]
    values = {"metric": gate.metric, "value": value, "bounds": ", ".join(bounds)}
    return message("outcome-gate-passed" if gate.passed else "outcome-gate-missed", values)


def _rank(figure: Figure) -> int:
    for place, name in enumerate(_FIRST):
        if figure.name == name or (place > 1 and figure.name.endswith(name)):
            return place - len(_FIRST)
    return 0 if figure.low is not None else 1
