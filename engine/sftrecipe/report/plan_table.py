"""The plan as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from sftrecipe.plan.estimate import Estimate, Range
from sftrecipe.recipe.checked import Budget
from sftrecipe.report.table import aligned

_CHANGED = {
    "plugin": "plugin or its version changed",
    "store": "another version of sftrecipe wrote it",
    "options": "options changed",
    "files": "a file it reads changed",
    "seed": "seed or language changed",
    "models": "the model changed",
    "inputs": "what it reads changed",
    "name": "its name changed",
}
_HEAD = ("step", "plugin", "state", "rows", "calls", "tokens", "cost")


def plan_text(estimates: Sequence[Estimate], budget: Budget) -> str:
    """One line a step, and the sum."""
    lines = [_HEAD, *(_cells(each) for each in estimates), _sum_cells(estimates)]
    text = aligned(lines)
    budgets = {"budget": budget}
    budgets |= {f"budget of {each.step.id}": each.step.block.budget for each in estimates}
    told = [f"{name}: {_limits(each)}" for name, each in budgets.items() if each]
    return "\n".join([text, *told])


def plan_json(estimates: Sequence[Estimate]) -> str:
    """The same facts as JSON; ranges are [at least, at most], null: not known."""
    facts = [
        {
            "id": each.step.id,
            "section": each.step.block.section,
            "use": each.step.block.use,
            "key": each.step.key,
            "cached": bool(each.standing and each.standing.cached),
            "changed": each.standing.changed if each.standing else [],
            "rows": each.rows,
            "calls": each.calls,
            "tokens": each.tokens,
            "cost": each.cost,
            "currency": each.currency,
            "budget": asdict(each.step.block.budget) if each.step.block.budget else None,
        }
        for each in estimates
    ]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def state(estimate: Estimate) -> str:
    """Cached, or why not."""
    if estimate.standing is None:
        return "written after the steps above"
    if estimate.standing.cached:
        return "cached"
    changed = estimate.standing.changed
    return "; ".join(_CHANGED[part] for part in changed) if changed else "not run yet"


def _cells(estimate: Estimate) -> tuple[str, ...]:
    block = estimate.step.block
    return (
        estimate.step.id,
        f"{block.section}: {block.use}",
        state(estimate),
        _range(estimate.rows),
        _range(estimate.calls),
        _range(estimate.tokens) if estimate.calls != (0, 0) else "0",
        _cost(estimate),
    )


def _sum_cells(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    calls, tokens = (
        _total([getattr(each, name) for each in estimates]) for name in ("calls", "tokens")
    )
    return ("total", "", "", "", _range(calls), _range(tokens), _total_cost(estimates))


def _total(ranges: Sequence[Range]) -> Range:
    known = [most for _, most in ranges if most is not None]
    return sum(least for least, _ in ranges), sum(known) if len(known) == len(ranges) else None


def _range(values: Range) -> str:
    least, most = values
    if most is None:
        return f"{least:,} or more" if least else "?"
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _cost(estimate: Estimate) -> str:
    if estimate.calls == (0, 0):
        return "0"
    if estimate.cost is None:
        return "no price"
    least, most = estimate.cost
    return f"{least:.2f} to {'?' if most is None else f'{most:.2f}'} {estimate.currency}"


def _total_cost(estimates: Sequence[Estimate]) -> str:
    paid = [each for each in estimates if each.cost is not None and each.currency]
    sums = []
    for currency in dict.fromkeys(each.currency for each in paid):
        costs = [each.cost for each in paid if each.currency == currency and each.cost]
        most = [high for _, high in costs]
        top = "?" if None in most else f"{sum(high for high in most if high is not None):.2f}"
        sums.append(f"{sum(low for low, _ in costs):.2f} to {top} {currency}")
    return " + ".join(sums)


def _limits(budget: Budget) -> str:
    limits = []
    if budget.max_cost is not None:
        limits.append(f"{budget.max_cost:g} {budget.currency}")
    if budget.max_calls is not None:
        limits.append(f"{budget.max_calls:,} calls")
    if budget.max_tokens is not None:
        limits.append(f"{budget.max_tokens:,} tokens")
    return ", ".join(limits)
