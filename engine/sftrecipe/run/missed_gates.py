"""The gates that a run misses: what to tell of them, and what to change."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Text, own_text
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.judge import ROWS_JUDGED
from sftrecipe.run.gate_results import GateResult, gate_results
from sftrecipe.store.step_facts import StepFacts

_MOST_ROWS = 1_000_000
"""More are not worth a number."""
_LIMITS_EXPLAINED = {"position_bias": "position-bias", "invalid_share": "invalid-share"}
"""Limits that the texts have a meaning and an advice for."""


def missed_gates(judged: Iterable[tuple[Step, StepFacts]]) -> SftrecipeError | None:
    """The error of all figures that are worse than the recipe asks, with what to change; None where
    none is."""
    found = [
        (step, result)
        for step, facts in judged
        for result in gate_results(step.block, facts)
        if not result.passed
    ]
    if not found:
        return None
    # What spoils the judging first: the figures may be others without it.
    found.sort(key=lambda each: each[1].by != "limit")
    missed = tuple(
        own_text("gate-of-step", step=step.id, told=gate_text(each)) for step, each in found
    )
    advised = tuple(dict.fromkeys(_advice(each) for _, each in found))
    return SftrecipeError("gate-missed", "gate-missed", missed=missed, advised=advised)


def gate_text(result: GateResult) -> Text:
    """A gate or limit, passed or not: the figure, and what is asked of it."""
    if result.by == "limit":
        return _limit_text(result)
    values = {"metric": result.metric, "bounds": _bounds_text(result)}
    if result.value is None:
        return own_text("gate-told-unfound", **values)
    alone = "gate-told" if result.low is None else "gate-told-alone"
    slug = "gate-told-interval" if result.by == "interval" else alone
    return own_text(slug, **values, figure=_figure_text(result))


def _limit_text(result: GateResult) -> Text:
    """Of a limit that has a figure."""
    return own_text(
        "gate-told-within" if result.passed else "gate-told-limit",
        metric=result.metric,
        figure=_figure_text(result),
        limit=f"{result.at_most:g}",
        meaning=own_text(f"limit-{_explained(result)}"),
    )


def _explained(limit: GateResult) -> str:
    return _LIMITS_EXPLAINED.get(limit.metric, "other")


def _bounds_text(result: GateResult) -> Text:
    """`at least 1`, `at least 1 and at most 2`."""
    ends = (("outcome-at-least", result.at_least), ("outcome-at-most", result.at_most))
    asked, *upper = [own_text(slug, bound=f"{end:g}") for slug, end in ends if end is not None]
    return own_text("gate-both", least=asked, most=upper[0]) if upper else asked


def _figure_text(result: GateResult) -> str | Text:
    """The value, and its interval where it has one."""
    value = f"{result.value:.4g}"
    if result.low is None or result.high is None:
        return value
    ends = {"low": f"{result.low:.4g}", "high": f"{result.high:.4g}"}
    return own_text("gate-figure", value=value, **ends)


def rows_needed(result: GateResult) -> float | None:
    """About how many rows with a verdict would let the interval keep the bounds, were the figure
    the same: its width goes with the root of their number. None where the figure itself does not
    keep them; infinite where it is the bound."""
    if result.value is None or result.low is None or result.high is None or not result.rows:
        return None
    needed = float(result.rows)
    sides = (
        (result.at_least, result.value - result.low, 1),
        (result.at_most, result.high - result.value, -1),
    )
    for bound, reach, sign in sides:
        if bound is None:
            continue
        room = sign * (result.value - bound)
        if room < 0:
            return None
        # Not `** 2`, which raises where a perplexity's upper end is beyond all numbers.
        wider = math.inf if room == 0 else reach / room
        needed = max(needed, result.rows * wider * wider)
    return needed


def _advice(result: GateResult) -> Text:
    """What to change so that it passes."""
    values = {"metric": result.metric, "now": result.rows, "bounds": _written_bounds(result)}
    if result.by == "limit":
        return own_text(f"limit-advice-{_explained(result)}", **values)
    if result.metric == ROWS_JUDGED:
        return own_text("gate-advice-rows", **values)
    if result.value is None:
        return own_text("gate-advice-unfound", **values)
    needed = rows_needed(result) if result.by == "interval" else None
    if needed is None:
        return own_text("gate-advice-short", **values)
    if needed > _MOST_ROWS:
        return own_text("gate-advice-same", **values)
    return own_text("gate-advice-wide", **values, rows=f"{_rounded_up(needed):,}")


def _written_bounds(result: GateResult) -> str:
    """The bounds as a gate has them: `at_least: 1`."""
    ends = (("at_least", result.at_least), ("at_most", result.at_most))
    return ", ".join(f"{name}: {end:g}" for name, end in ends if end is not None)


def _rounded_up(number: float) -> int:
    """Two digits, and zeros."""
    unit = 10.0 ** max(math.floor(math.log10(number)) - 1, 0)
    return int(math.ceil(number / unit) * unit)
