"""What a run will ask and spend, before it asks anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from typing import NamedTuple

from sftrecipe.plan.staleness import Standing
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plugin.kinds import Expected, Filter, Generator, RowFilter
from sftrecipe.plugin.provider import Price, Provider
from sftrecipe.plugin.sampling import Sampling
from sftrecipe.recipe.graph import MIXED
from sftrecipe.store.steps import StepStore

Range = tuple[int, int | None]
"""At least, at most; None: not known."""
_INPUT_TOKENS = (50, 1500)
_OUTPUT_TOKENS = 1024


class PerCall(NamedTuple):
    """Mean tokens of the calls that a model answered so far."""

    input_tokens: float
    output_tokens: float


@dataclass(frozen=True)
class Estimate:
    """What a step will do; zero calls where its result is there already."""

    step: Step
    standing: Standing | None
    """None for exports, which depend on the output folder."""
    calls: Range
    rows: Range
    tokens: Range = (0, 0)
    cost: tuple[float, float | None] | None = (0.0, 0.0)
    """None where the price is not known."""
    currency: str = ""


@dataclass(frozen=True)
class Known:
    """What is known before the run."""

    source_rows: Mapping[str, int]
    """Rows of the sources that could be counted."""
    measured: Mapping[str, PerCall]
    """Tokens a call by provider, from the ledger."""
    prices: Mapping[str, Price | None]
    """By provider."""


def estimate(
    plan: Plan, standings: Mapping[str, Standing], store: StepStore, known: Known
) -> list[Estimate]:
    """The plan's steps with what each will do."""
    rows: dict[str, Range] = {}
    estimates = []
    for step in plan.steps:
        standing = standings.get(step.id)
        expected = _expected(step, rows, known.source_rows)
        if standing and standing.cached:
            kept = store.facts(step.key).kept
            expected = Expected((0, 0), (kept, kept))
        _follow(step, expected.rows, rows)
        plain = Estimate(step, standing, expected.calls, expected.rows)
        estimates.append(_priced(plain, plan, known))
    return estimates


def _expected(step: Step, rows: Mapping[str, Range], source_rows: Mapping[str, int]) -> Expected:
    if step.block.section == "sources":
        counted = source_rows.get(step.id)
        return Expected((0, 0), (counted or 0, counted))
    read = [rows.get(name, (0, None)) for name in step.reads]
    least = sum(each[0] for each in read)
    most = _sum([each[1] for each in read])
    plugin = step.block.plugin
    if isinstance(plugin, Generator):
        return plugin.expected(least, most)
    if isinstance(plugin, Filter):
        asks = bool(plugin.required())
        each_row = isinstance(plugin, RowFilter) and iscoroutinefunction(type(plugin).judge_row)
        return Expected((least if asks and each_row else 0, most if asks else 0), (0, most))
    if step.block.section == "mix":
        total = getattr(plugin, "total", None)
        return Expected((0, 0), (0, total or most))
    return Expected((0, 0), (least, most))


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _follow(step: Step, made: Range, rows: dict[str, Range]) -> None:
    if step.block.section in ("sources", "generate"):
        rows[step.id] = made
    elif step.block.section == "mix":
        rows[MIXED] = made
    elif step.block.section == "filter":
        for name in step.reads:
            least, most = rows.get(name, (0, None))
            rows[name] = (made[0] if len(step.reads) == 1 else min(least, made[0]), most)


def _priced(plain: Estimate, plan: Plan, known: Known) -> Estimate:
    provider = plain.step.block.provider
    if not provider or plain.calls == (0, 0):
        return plain
    plugin = plain.step.block.plugin
    written = plugin.max_tokens if isinstance(plugin, Sampling) else None
    low, high = _tokens_a_call(known.measured.get(provider), written or _OUTPUT_TOKENS)
    least, most = plain.calls
    tokens = (
        int(least * sum(low)),
        None if most is None else int(most * sum(high)),
    )
    asked = plan.recipe.providers[provider].plugin
    price = known.prices.get(provider) or (asked.price if isinstance(asked, Provider) else None)
    if price is None:
        return replace(plain, tokens=tokens, cost=None)
    cost = (least * _cost(low, price), None if most is None else most * _cost(high, price))
    return replace(plain, tokens=tokens, cost=cost, currency=price.currency)


def _tokens_a_call(
    measured: PerCall | None, written: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """(input, output) tokens of a call, at least and at most."""
    if measured is None:
        return (_INPUT_TOKENS[0], 1), (_INPUT_TOKENS[1], written)
    taken, given = measured
    return (0.7 * taken, 0.7 * given), (1.3 * taken, max(given, min(1.3 * given, written)))


def _cost(tokens: tuple[float, float], price: Price) -> float:
    return (tokens[0] * price.input + tokens[1] * price.output) / 1e6
