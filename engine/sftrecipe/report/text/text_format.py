"""How numbers and figures are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sftrecipe.messages import in_user_language, message, word
from sftrecipe.plan.estimate import Range
from sftrecipe.plan.steps import Step
from sftrecipe.recipe.recipe import Budget
from sftrecipe.run.gate_results import rows_judged

_ENDS = ("_low", "_high")
_FIRST = ("train_loss", "eval_loss", "accuracies", "accuracy", "margins")
"""What a training is told by: these names, or names that end so, in this order."""
_NOT_TOLD = ("runtime", "per_second", "total_flos", "epoch")
"""How a training went, not what it came to."""
_LOST = "invalid"
_SPOILING = frozenset({"position_bias", "invalid_share"})
"""How the judging went, not what it came to: told where it went wrong."""
FEW_ROWS = 30
"""Of fewer rows than about this, intervals are so wide that they tell little."""


def range_text(values: Range) -> str:
    """`54`, `54 to 108`, `54 or more`, `?`."""
    least, most = values
    if most is None:
        return message("plan-at-least", {"least": f"{least:,}"}) if least else "?"
    return _from_to(f"{least:,}", f"{most:,}")


def likely_text(likely: int | None, values: Range, text: str | None = None) -> str:
    """`likely 60, 54 to 108`; the range alone (`text`) where it says all, or nothing is likely."""
    sure = likely is None or values[0] == values[1] or values == (likely, None)
    return _likely_and_range(None if sure else f"{likely:,}", text or range_text(values))


def cost_text(
    costs: Mapping[str, tuple[float, float | None]],
    likely: Mapping[str, float | None] | None = None,
) -> str:
    """The cost in every currency: `likely 1.20 USD, 0.40 to 3.10`."""
    texts = []
    for currency, (low, high) in costs.items():
        range_ = _from_to(money_text(low), "?" if high is None else money_text(high))
        point = (likely or {}).get(currency)
        if point is None or low == high:
            texts.append(f"{range_} {currency}")
        else:
            texts.append(_likely_and_range(f"{money_text(point)} {currency}", range_))
    return " + ".join(texts)


def reasons_text(step: Step, reasons: Mapping[str, int]) -> str:
    """How often each reason of a step was found: `3 call_failed, 1 no_tags`."""
    named = ((in_user_language(step.reason(name).name), count) for name, count in reasons.items())
    return word("comma").join(f"{count} {name}" for name, count in named)


def limits_text(budget: Budget) -> str:
    """What a budget allows."""
    limits = []
    if budget.max_cost is not None:
        limits.append(f"{budget.max_cost:g} {budget.currency}")
    if budget.max_calls is not None:
        limits.append(message("amount-calls", {"count": f"{budget.max_calls:,}"}))
    if budget.max_tokens is not None:
        limits.append(message("amount-tokens", {"count": f"{budget.max_tokens:,}"}))
    return word("comma").join(limits)


def amounts_text(
    calls: Range, tokens: Range, costs: Mapping[str, tuple[float, float | None]]
) -> str:
    """Calls, tokens and cost in one line."""
    parts: Sequence[str] = (
        message("amount-calls", {"count": range_text(calls)}),
        message("amount-tokens", {"count": range_text(tokens)}),
        cost_text(costs),
    )
    return word("comma").join(part for part in parts if part)


def _likely_and_range(likely: str | None, values: str) -> str:
    if likely is None or likely == values:
        return values
    return message("plan-point", {"likely": likely, "range": values})


def _from_to(least: str, most: str) -> str:
    if least == most:
        return least
    return message("plan-range", {"least": least, "most": most})


def money_text(amount: float) -> str:
    """Two digits after the point; of small amounts the first two that are not zero."""
    return f"{amount:.2f}" if amount >= 1 or amount == 0 else f"{amount:.2g}"


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
    """The rows with a verdict, of those that a judge returned, where they are too few to tell much;
    None where there are enough, or it returns none."""
    valid = rows_judged(rows, metrics)
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


def _rank(figure: Figure) -> int:
    for place, name in enumerate(_FIRST):
        if figure.name == name or (place > 1 and figure.name.endswith(name)):
            return place - len(_FIRST)
    if figure.name in _SPOILING:
        return 2
    return 0 if figure.low is not None else 1
