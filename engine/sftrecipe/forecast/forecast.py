"""The forecast of a run: its plan, held against the store, the sources and the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from typing import NamedTuple, TypeVar

from sftrecipe.calls.ledger.counted_calls import History, open_history
from sftrecipe.calls.limits.prices import currency_of, price_of
from sftrecipe.forecast.dry_run import DryRun, dry_run
from sftrecipe.forecast.expectation import DryRunResult, Expectation, expectation, looks_at_rows
from sftrecipe.forecast.stream_forecast import StreamForecast, StreamForecasts
from sftrecipe.forecast.tokens_and_cost import AskedCalls, ProviderKnowledge, spending
from sftrecipe.plan.estimate import (
    NOTHING,
    Asks,
    Estimate,
    Range,
    Shortage,
    likely_sum,
    shortages,
    total,
)
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plan.stream_contents import Standing
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.judge import Judge
from sftrecipe.plugin.option_types import Sampling
from sftrecipe.plugin.plugin_kinds import Exporter, Filter, Generator, Mixer, RowFilter, Source
from sftrecipe.plugin.provider import Provider
from sftrecipe.run.contexts import block_context, providers_by_model
from sftrecipe.run.run_file import run_before
from sftrecipe.run.standing import standing_steps
from sftrecipe.run.steps.section_steps import runner_of
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import Project

Item = TypeVar("Item")


class Effort(NamedTuple):
    """What a forecast may take."""

    source_bytes: int
    """Sources up to this size are read."""
    seconds: float
    """For reading a source, and for the dry run of a step."""
    rows: int
    """Rows of a step's dry run, for plugins that look at one at a time."""
    prompts: int
    """Prompts of a step whose tokens are counted."""


THOROUGH = Effort(32 * 1024 * 1024, 3.0, 5000, 400)
"""For `plan`."""
QUICK = Effort(256 * 1024, 0.2, 200, 20)
"""Before a run, which nobody wants to wait for."""


def forecast(plan: Plan, project: Project, out: Path, effort: Effort = THOROUGH) -> list[Estimate]:
    """What every step of the plan would do now. Asks no model."""
    store = plan.store
    seen = {step.key: store.facts(step.key) for step in plan.steps if store.has(step.key)}
    try:
        return _forecast(plan, project, out, effort)
    except Exception:
        if not store.replaced(seen):
            raise
        return _forecast(plan, project, out, effort)  # a run replaced rows while they were read


def _forecast(plan: Plan, project: Project, out: Path, effort: Effort) -> list[Estimate]:
    standing = standing_steps(plan, out)
    if all(stands.cached for stands in standing.values()):
        return [_finished(step, standing.get(step.id), plan.store) for step in plan.steps]
    with open_history(project.ledger) as history:
        forecast_of = _Forecast(plan, project.ledger, out, history, effort)
        return list(forecast_of.steps(plan.store, standing))


def too_small(plan: Plan, project: Project, estimates: Sequence[Estimate]) -> list[Shortage]:
    """The limits of the budgets that the run will reach before it is done."""
    budgets = [plan.recipe.budget, *(step.block.budget for step in plan.steps)]
    if not any(budgets):
        return []
    with open_history(project.ledger) as history:
        return shortages(estimates, plan.recipe.budget, history.spent(plan.recipe.name))


class _Forecast:
    """Walks the plan with what is known of every stream."""

    def __init__(
        self, plan: Plan, ledger: Path, out: Path, history: History, effort: Effort
    ) -> None:
        self._recipe = plan.recipe
        self._providers = dict(plan.recipe.providers)
        self._steps = plan.steps
        self._ledger = ledger
        self._out = out
        self._effort = effort
        self._streams = StreamForecasts()
        self._kept = _kept_before(out)
        self._history = history
        self._knowledge = cache(self._knowledge_of)
        budgets = [plan.recipe.budget, *(step.block.budget for step in plan.steps)]
        self._currency = currency_of(budgets)

    def steps(self, store: StepStore, standing: Mapping[str, Standing]) -> Iterator[Estimate]:
        for step in self._steps:
            stands = standing.get(step.id)
            if stands and stands.cached:
                self._go_on_from(step, store)
                yield _finished(step, stands, store)
            else:
                yield self._to_execute(step, stands, store)

    def _go_on_from(self, step: Step, store: StepStore) -> None:
        """What stands is there for the steps after it."""
        facts = store.facts(step.key)
        self._providers |= runner_of(step).providers_after(self._recipe, step, facts, self._out)
        self._streams.use_stored(step, store)

    def _to_execute(self, step: Step, standing: Standing | None, store: StepStore) -> Estimate:
        """What a step will do, by the kind of its plugin."""
        streams, effort = self._streams, self._effort
        match step.block.plugin:
            case Generator() | Filter() | Judge():
                return self._asking(step, standing)
            case Source():
                found = streams.foresee_source(
                    step, self._recipe, effort.source_bytes, effort.seconds
                )
            case Mixer():
                found = streams.foresee_mix(step)
            case Exporter():
                found = streams.of(step.reads)
                streams.foresee_holdout(step, store)
            case _:
                found = streams.of(step.reads)
        rows, expected = found.count, found.likely_count
        return Estimate(step, standing, rows, likely_rows=found.likely, expected_rows=expected)

    def _asking(self, step: Step, standing: Standing | None) -> Estimate:
        """What a step will do whose plugin may ask models."""
        plugin, read = step.block.plugin, self._streams.of(step.reads)
        seen = self._dry_run_result(step, read)
        found = self._as_before(
            step, expectation(plugin, read.count, seen, read.likely_count), seen
        )
        likely = found.likely_rows or read.likely
        if isinstance(plugin, Generator):
            self._streams.foresee_made(step, found, likely, seen)
        elif isinstance(plugin, Filter):
            self._streams.foresee_thinned(step, found.rows, found.expected_rows, seen)
        held, asks = 0, tuple[Asks, ...]()
        if step.block.asks and found.calls != NOTHING:
            held, asks = self._spending(step, read, found, seen)
        return Estimate(
            step,
            standing,
            found.rows,
            found.calls,
            likely,
            found.likely_calls or (read.likely and found.calls[0] != found.calls[1]),
            found.expected_rows,
            found.expected_calls,
            held,
            asks,
        )

    def _as_before(self, step: Step, found: Expectation, seen: DryRunResult | None) -> Expectation:
        """The same with as many rows kept of those made as in the run before."""
        kept = self._kept.get(step.id)
        sure = seen is not None and seen.certain
        if kept is None or sure or found.expected_rows is None:
            return found
        return found._replace(expected_rows=max(found.rows[0], round(found.expected_rows * kept)))

    def _dry_run_result(self, step: Step, read: StreamForecast) -> DryRunResult | None:
        """The dry run of a step; None where it would show nothing, or might take long."""
        plugin, asks = step.block.plugin, providers_by_model(step.block)
        named = self._streams.named(step.named)
        if named is None or not (read.whole or read.rows):
            return None
        idle = isinstance(plugin, Filter) and not asks
        if idle and not (read.whole and isinstance(plugin, RowFilter)):
            return None
        rows, whole = list(read.rows), read.whole
        if looks_at_rows(plugin) and len(rows) > self._effort.rows:
            rows, whole = _drawn(rows, self._effort.rows), False
        context = block_context(self._recipe, step.block)
        context.streams = named
        providers = {name: self._providers[asked] for name, asked in asks.items()}
        run = DryRun(plugin, context, providers, rows, whole)
        return dry_run(run, self._ledger, self._effort.seconds)

    def _spending(
        self, step: Step, read: StreamForecast, found: Expectation, seen: DryRunResult | None
    ) -> tuple[int, tuple[Asks, ...]]:
        """Calls that the ledger answers, and what the others take, by provider."""
        least, most = found.calls
        held = seen.held if seen is not None and seen.whole else 0
        if seen is not None and seen.held and not seen.whole:
            least = 0  # some are in the ledger, how many is not known
        elif seen is not None and seen.repeated and seen.asking and most is not None:
            least -= seen.repeated * (ceil(most / seen.asking) - 1)  # rows that repeat another
        left = (max(0, least - held), None if most is None else max(0, most - held))
        if left == NOTHING:
            return held, ()
        likely = found.expected_calls
        likely = None if likely is None else min(max(likely - held, left[0]), left[1] or likely)
        found = found._replace(calls=left, expected_calls=likely)
        parts = self._parts(step, read, found, seen)
        return held, tuple(
            spending(part, self._recipe.name, step.id, self._knowledge(part.provider))
            for part in parts
        )

    def _parts(
        self, step: Step, read: StreamForecast, found: Expectation, seen: DryRunResult | None
    ) -> Iterator[AskedCalls]:
        """The step's calls by provider: shared as in its dry run."""
        plugin, calls, carried = step.block.plugin, found.calls, found.carried
        if isinstance(plugin, Judge) and seen is not None and seen.unanswered:
            yield from self._judged_parts(step, read, found, seen)
            return
        stated, likely = _stated(plugin), found.expected_calls
        if seen is None or not seen.unanswered:
            asked = list(dict.fromkeys(providers_by_model(step.block).values()))
            least = calls[0] if len(asked) == 1 else 0  # whom of several, nothing tells
            share = None if likely is None else likely / len(asked)
            for provider in asked:
                part = (least, calls[1])
                yield AskedCalls(
                    provider, part, calls[1] or 0, (), 0.0, False, stated, carried, share
                )
            return
        for provider, requests in seen.missing.items():
            if not requests:
                continue
            share = len(requests) / seen.unanswered
            part = (int(calls[0] * share), None if calls[1] is None else ceil(calls[1] * share))
            first = len(requests)
            if not seen.whole:
                rows = read.count[1] if looks_at_rows(plugin) else part[0]
                first = min(part[1] or 0, ceil((rows or part[1] or 0) * share))
            drawn = _drawn(requests, self._effort.prompts)
            of_all = len(drawn) / (len(requests) if seen.whole else part[1] or len(requests) + 1)
            point = None if likely is None else likely * share
            yield AskedCalls(
                provider, part, first, drawn, of_all, read.whole, stated, carried, point
            )

    def _judged_parts(
        self, step: Step, read: StreamForecast, found: Expectation, seen: DryRunResult
    ) -> Iterator[AskedCalls]:
        """A judge's calls: the models' answers as in its dry run, the rest for who judges them."""
        most, plugin, calls = read.count[1], step.block.plugin, found.calls
        parts, points = [], []
        for provider, requests in seen.missing.items():
            if not requests:
                continue
            count = len(requests)
            if not seen.whole:  # rows that ask the same here only stand for those of the run
                count += seen.repeats[provider]
            known = provider not in seen.pretended
            top = count if seen.whole else most and ceil(count * most / seen.rows)
            part = (count if seen.whole and known else 0, top)
            point = read.likely_count and count * read.likely_count / seen.rows
            drawn = _drawn(requests, self._effort.prompts)
            parts.append(part)
            points.append(point)
            share = len(drawn) / (part[1] or count + 1)
            shown = read.whole and known
            yield AskedCalls(provider, part, part[1] or count, drawn, share, shown, None, 0, point)
        silent = [
            name for name in providers_by_model(step.block).values() if not seen.missing.get(name)
        ]
        rest = _less(calls, total(parts))
        if silent and rest != NOTHING:
            told = likely_sum(points)
            known = found.expected_calls is not None and told is not None
            point = max(0, (found.expected_calls or 0) - (told or 0)) if known else None
            stated = _stated(plugin)
            yield AskedCalls(silent[-1], rest, rest[1] or 0, (), 0.0, False, stated, 0, point)

    def _knowledge_of(self, provider: str) -> ProviderKnowledge:
        plugin = self._providers[provider].plugin
        assert isinstance(plugin, Provider)  # noqa: S101 - a checked recipe's providers are
        earlier = self._history.recent(plugin.model_name())
        return ProviderKnowledge(
            cache(plugin.token_counter), earlier, price_of(plugin, self._currency)
        )


def _finished(step: Step, standing: Standing | None, store: StepStore) -> Estimate:
    """A step whose result is in the store; exports are only written again."""
    kept = store.facts(step.key).kept if store.has(step.key) else 0
    return Estimate(step, standing, (kept, kept), expected_rows=kept, expected_calls=0)


def _kept_before(out: Path) -> dict[str, float]:
    """The share of the rows made that each step of the run before kept."""
    return {
        step.id: step.facts.kept / step.facts.made
        for step in run_before(out).steps
        if step.facts.made
    }


def _stated(plugin: Plugin) -> int | None:
    """The tokens that the step's options allow a reply."""
    return plugin.max_tokens if isinstance(plugin, Sampling) else None


def _less(calls: Range, part: Range) -> Range:
    """What is left of calls without a part of them."""
    most = None if calls[1] is None or part[1] is None else max(0, calls[1] - part[1])
    return max(0, calls[0] - part[0]), most


def _drawn(items: Sequence[Item], count: int) -> list[Item]:
    """So many of the items, evenly."""
    if len(items) <= count:
        return list(items)
    return [items[at * len(items) // count] for at in range(count)]
