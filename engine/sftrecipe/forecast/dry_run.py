"""Running a step's plugin without asking anybody: what it would ask, and what is answered already.

Replies come out of the ledger. A request that has none is noted, and fails as a call may fail, so
that the plugin goes on with the next row.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from sftrecipe.calls.ledger.call_keys import call_key, provider_part, request_json
from sftrecipe.calls.ledger.counted_calls import History, open_history
from sftrecipe.calls.replies.outcomes import known_failure, reply_of
from sftrecipe.calls.replies.whole_replies import alike
from sftrecipe.calls.session import StepModel
from sftrecipe.calls.usage import Usage
from sftrecipe.forecast.expectation import DryRunResult
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.judge import Judge
from sftrecipe.plugin.option_types import ProviderMarker, values_of
from sftrecipe.plugin.plugin_kinds import (
    Filter,
    Generator,
    PluginRefused,
    RowFilter,
    RowGenerator,
    Verdict,
)
from sftrecipe.plugin.provider import CallFailed, Provider, Request
from sftrecipe.plugin.row_views import RowsInMemory
from sftrecipe.recipe.recipe import Block
from sftrecipe.record import Record

_PRETENDED_TEXT = 400
"""Characters of an answer that a model will write."""
_GRACE = 0.3
"""Seconds that a plugin may go on after its time."""


class DryRun(NamedTuple):
    """A step to be tried."""

    plugin: Plugin
    context: Context
    """Without models."""
    providers: Mapping[str, Block]
    """By the names under which the plugin asks them."""
    rows: Sequence[Record]
    whole: bool
    """Whether these are the rows of the run, all of them."""


class _Enough(BaseException):
    """The time is over. No `Exception`: a plugin is not to go on."""


class _TimedRows(RowsInMemory):
    """Rows in memory that are not read beyond the time."""

    def __init__(self, rows: Sequence[Record], ends: float) -> None:
        super().__init__(rows)
        self._ends = ends

    def __iter__(self) -> Iterator[Record]:
        for row in super().__iter__():
            if time.monotonic() > self._ends:
                raise _Enough
            yield row


class _Unasked:
    """Stands in for a provider: answers out of the ledger, notes the rest."""

    def __init__(
        self, block: Block, history: History, seen: DryRunResult, ends: float, *, pretends: bool
    ) -> None:
        assert isinstance(block.plugin, Provider)  # noqa: S101 - a checked recipe's providers are
        self.provider = block.plugin
        self._use = block.use
        self._part = provider_part(block.use, block.plugin.identity())
        self._history = history
        self._seen = seen
        self._ends = ends
        self._pretends = pretends
        self._name = block.id
        self._noted = seen.missing.setdefault(block.id, [])
        self._keys: set[str] = set()

    async def ask(self, request: Request, step: str, usage: Usage) -> Reply:
        """The ledger's reply. Raises CallFailed where it has none."""
        if time.monotonic() > self._ends:
            raise _Enough
        key = call_key(self._part, request_json(request))
        entry = self._history.find(key)
        if entry is None:
            mark = alike(self._use, self.provider.model_name(), request)
            key = self._history.whole_reply(mark, self._part, request) or key
            entry = self._history.find(key)
        failure = known_failure(entry, ask_again=False) if entry is not None else None
        if entry is not None and (failure or entry.state == "done"):
            self._seen.held += 1
            if failure:
                raise failure
            return reply_of(key, entry.answer())
        if key in self._keys:
            self._seen.held += 1
            self._seen.repeated += 1
            self._seen.repeats[self._name] += 1
        else:
            self._keys.add(key)
            self._noted.append(request)
        if self._pretends and request.kind in ("chat", "complete"):
            return Reply(_pretended(self._name, request), key)
        raise CallFailed("final", "nobody is asked in a dry run")


def dry_run(run: DryRun, ledger: Path, seconds: float) -> DryRunResult | None:
    """What the step would ask of its rows; None where its plugin cannot be tried.

    A plugin that fails, or waits for something else than a model, is given up.
    """
    found: list[DryRunResult] = []

    def work() -> None:
        try:
            found.append(asyncio.run(_dry_run_result(run, ledger, time.monotonic() + seconds)))
        except Exception:
            return

    # In a thread of its own: nothing else stops a plugin that computes and computes.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds + 2 * _GRACE)
    return found[0] if found else None


async def _dry_run_result(run: DryRun, ledger: Path, ends: float) -> DryRunResult:
    seen = DryRunResult(len(run.rows), run.whole)
    with open_history(ledger) as history:
        judged = _judged_models(run)
        askers = {
            name: _Unasked(block, history, seen, ends, pretends=name in judged)
            for name, block in run.providers.items()
        }
        if judged:
            seen.pretended = {each.id for name, each in run.providers.items() if name not in judged}
        models = {
            name: StepModel(asker, run.context.step, Usage()) for name, asker in askers.items()
        }
        ctx = replace(run.context, models=models)
        try:
            async with asyncio.timeout(ends - time.monotonic() + _GRACE):
                await _work(run.plugin, _TimedRows(run.rows, ends), ctx, seen)
        except _Enough:
            seen.whole = False
    return seen


def _judged_models(run: DryRun) -> frozenset[str]:
    """The models that a judge lets answer, where another one judges the answers: without any,
    the judging one would not be asked."""
    if not isinstance(run.plugin, Judge):
        return frozenset()
    answering = {
        name for _, marker, name in values_of(run.plugin, ProviderMarker) if "chat" in marker.needs
    }
    return frozenset(answering if set(run.providers) - answering else ())


def _pretended(model: str, request: Request) -> str:
    """An answer in the question's language, another for each model."""
    asked = str(request.messages[-1]["content"]) if request.messages else request.prompt
    return f"{model} " + "".join(islice(cycle(asked or "text "), _PRETENDED_TEXT))


async def _work(plugin: Plugin, rows: _TimedRows, ctx: Context, seen: DryRunResult) -> None:
    if isinstance(plugin, RowGenerator) and type(plugin).generate is RowGenerator.generate:
        for row in rows:
            with suppress(CallFailed), _asking(seen):
                seen.made.extend(_kept(await plugin.generate_row(row, ctx)))
    elif isinstance(plugin, RowFilter) and type(plugin).judge is RowFilter.judge:
        for row in rows:
            with suppress(CallFailed), _asking(seen):
                verdict = plugin.judge_row(row, ctx)
                _let_pass(row, verdict if isinstance(verdict, Verdict) else await verdict, seen)
    elif isinstance(plugin, Generator):
        async for item in plugin.generate(rows, ctx):
            seen.made.extend(_kept([item]))
    elif isinstance(plugin, Judge):
        with suppress(PluginRefused):  # nothing can be judged as long as nobody answers
            seen.made.extend((await plugin.evaluate(rows, ctx)).rows)
    elif isinstance(plugin, Filter):
        verdicts = plugin.judge(rows, ctx)
        if isinstance(verdicts, Iterator):
            for row, verdict in zip(rows, verdicts, strict=True):
                _let_pass(row, verdict, seen)
        else:
            judged = iter(rows)
            async for verdict in verdicts:
                _let_pass(next(judged), verdict, seen)


@contextmanager
def _asking(seen: DryRunResult) -> Iterator[None]:
    """Count the row whose work this is, if it asks something."""
    before = seen.told
    try:
        yield
    finally:
        seen.asking += seen.told > before


def _kept(items: Iterable[Record | Reject]) -> Iterator[Record]:
    return (item for item in items if isinstance(item, Record))


def _let_pass(row: Record, verdict: Verdict, seen: DryRunResult) -> None:
    if verdict.keep:
        columns = {**row.columns, **verdict.changes} if verdict.changes else row.columns
        tags = {**row.tags, **verdict.tags} if verdict.tags else row.tags
        seen.made.append(row._replace(columns=columns, tags=tags))
