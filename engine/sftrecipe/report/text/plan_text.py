"""The plan as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from sftrecipe.errors import Problem
from sftrecipe.messages import message, word
from sftrecipe.plan.estimate import (
    NOTHING,
    Asks,
    Estimate,
    Range,
    Shortage,
    costs,
    likely_costs,
    likely_facts,
    likely_sum,
    likely_tokens,
    total,
)
from sftrecipe.plugin.trainer import TrainingForecast
from sftrecipe.recipe.recipe import Budget
from sftrecipe.report.text.text_format import (
    cost_text,
    likely_text,
    limits_text,
    range_text,
)
from sftrecipe.report.text.training_forecast_text import forecast_facts
from sftrecipe.run.trained_anew import TrainedAnew

_HEAD = ("step", "plugin", "state", "rows", "calls", "tokens", "counted", "cost")


def plan_table(estimates: Sequence[Estimate]) -> tuple[list[str], list[Sequence[str]]]:
    """The names of the columns, and the cells of a line a step and of the sum."""
    head = [word(name) for name in _HEAD]
    return head, [*(_estimate_cells(each) for each in estimates), _sum_cells(estimates)]


def budget_lines(estimates: Sequence[Estimate], budget: Budget) -> list[str]:
    """The limits of the recipe and of its steps, a line each."""
    told = []
    if budget:
        told.append(message("plan-budget", {"limits": limits_text(budget)}))
    for each in estimates:
        if own := each.step.block.budget:
            values = {"step": each.step.id, "limits": limits_text(own)}
            told.append(message("plan-step-budget", values))
    return told


def plan_json(
    estimates: Sequence[Estimate],
    shortages: Sequence[Shortage],
    sweep: Sequence[Mapping[str, Any]] | None = None,
    warnings: Sequence[Problem] = (),
    anew: Sequence[TrainedAnew] = (),
    *,
    trainings: Mapping[str, TrainingForecast] | None = None,
) -> str:
    """The same facts as JSON, with those of a sweep; ranges are [at least, at most], null: not
    known."""
    facts = {
        "steps": [_estimate_facts(each) for each in estimates],
        "total": {
            "calls": total([each.calls for each in estimates]),
            "held": sum(each.held for each in estimates),
            "asked": total([each.asked for each in estimates]),
            "tokens": total([each.tokens for each in estimates]),
            "cost": costs(all_asks(estimates)),
            "likely": likely_facts(all_asks(estimates)),
            "unpriced": unpriced(all_asks(estimates)),
        },
        "too_small": [asdict(each) for each in shortages],
        "warnings": [each.as_json() for each in warnings],
        **({"trains_anew": [each.facts() for each in anew]} if anew else {}),
        **({} if sweep is None else {"sweep": sweep}),
        **_trainings_facts(trainings or {}),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _trainings_facts(trainings: Mapping[str, TrainingForecast]) -> dict[str, Any]:
    """What trainings will take, by block; nothing where none is to be done."""
    found = {block: forecast_facts(forecast) for block, forecast in trainings.items()}
    return {"trainings": found} if found else {}


def shortage_text(shortage: Shortage, of_all: str = "budget-short") -> str:
    """A warning about a budget that is too small; `of_all`: the message about the recipe's."""
    values = {
        "step": shortage.step,
        "limit": shortage.limit,
        "most": f"{shortage.most:g} {shortage.currency}".rstrip(),
        "needed": f"{shortage.needed:.6g} {shortage.currency}".rstrip(),
    }
    return message("step-budget-short" if shortage.step else of_all, values)


def _estimate_facts(estimate: Estimate) -> dict[str, Any]:
    step, standing = estimate.step, estimate.standing
    return {
        "id": step.id,
        "section": step.block.section,
        "use": step.block.use,
        "key": step.key,
        "cached": bool(standing and standing.cached),
        "changed": standing.changed if standing else [],
        "budget": asdict(step.block.budget) if step.block.budget else None,
        **estimate.facts(),
    }


def state_text(estimate: Estimate) -> str:
    """Cached, or why not."""
    if estimate.standing is None:
        return word("written-last")
    if estimate.standing.cached:
        return word("cached")
    changed = estimate.standing.changed
    return word("semicolon").join(word(f"changed-{part}") for part in changed) or word("not-run")


def _estimate_cells(estimate: Estimate) -> tuple[str, ...]:
    block = estimate.step.block
    named = (estimate.step.id, f"{block.section}: {block.use}", state_text(estimate))
    if block.section == "train":
        return (*named, "", "", "", "", "")
    return (
        *named,
        _with_likely(estimate.expected_rows, estimate.rows, about=estimate.likely_rows),
        _calls_text(estimate),
        likely_text(likely_tokens(estimate.asks), estimate.tokens),
        _basis_text(estimate.asks),
        asked_cost(estimate.asks),
    )


def _with_likely(likely: int | None, values: Range, *, about: bool) -> str:
    text = range_text(values)
    if about and text != "?":
        text = message("plan-likely", {"range": text})
    return likely_text(likely, values, text)


def _calls_text(estimate: Estimate) -> str:
    if estimate.calls == NOTHING:
        return "0"
    text = _with_likely(estimate.expected_calls, estimate.calls, about=estimate.likely_calls)
    if not estimate.held:
        return text
    return message("plan-held", {"calls": text, "held": f"{estimate.held:,}"})


def _basis_text(asks: Sequence[Asks]) -> str:
    texts = []
    for each in asks:
        values = {"read": word(each.input_basis), "written": word(each.output_basis)}
        same = each.input_basis == each.output_basis
        texts.append(values["read"] if same else message("plan-basis", values))
    return word("semicolon").join(dict.fromkeys(texts))


def asked_cost(asks: Sequence[Asks]) -> str:
    """The cost of what is asked, and whether a price is missing."""
    known, missing = costs(asks), unpriced(asks)
    if missing:  # nothing is free beside what has no price
        known = {currency: each for currency, each in known.items() if each != (0, 0)}
    texts = [cost_text(known, likely_costs(asks))] if known else []
    if missing:
        texts.append(word("no-price"))
    return " + ".join(texts) or "0"


def unpriced(asks: Sequence[Asks]) -> list[str]:
    """Providers whose price is not known."""
    return list(dict.fromkeys(each.provider for each in asks if each.cost is None))


def all_asks(estimates: Sequence[Estimate]) -> list[Asks]:
    """What all the steps ask."""
    return [ask for each in estimates for ask in each.asks]


def _sum_cells(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    calls = likely_text(likely_calls(estimates), total([each.calls for each in estimates]))
    if held := sum(each.held for each in estimates):
        calls = message("plan-held", {"calls": calls, "held": f"{held:,}"})
    asks = all_asks(estimates)
    tokens = likely_text(likely_tokens(asks), total([each.tokens for each in estimates]))
    return (word("total"), "", "", "", calls, tokens, "", asked_cost(asks))


def likely_calls(estimates: Sequence[Estimate]) -> int | None:
    """The likely calls of all the steps; None where nothing tells of one."""
    return likely_sum([0 if each.calls == NOTHING else each.expected_calls for each in estimates])
