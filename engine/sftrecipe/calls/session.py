"""A run's access to its models: opened when first asked, closed at the end whatever happens."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from sftrecipe.calls.asker import Asker, SessionState
from sftrecipe.calls.ledger.accounts import Spent
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.limits.budget import BudgetGate
from sftrecipe.calls.limits.prices import priced_for
from sftrecipe.calls.redaction import remember, scrub_message
from sftrecipe.calls.replies.structured import ask_structured
from sftrecipe.calls.usage import Usage, summed
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.messages import own_text
from sftrecipe.plugin.asked_model import Model, Reply
from sftrecipe.plugin.provider import Adapter, CallFailed, Limits, Provider, Request
from sftrecipe.plugin.shown_media import check_asked
from sftrecipe.recipe.recipe import Block, Budget

_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_UNLIMITED = Budget()


def _silent(_: str) -> None:
    pass


def providers_folder(ledger: Path) -> Path:
    """Where providers leave what they must find again after a kill: beside the ledger."""
    return ledger.parent / "providers"


@asynccontextmanager
async def open_session(
    providers: Mapping[str, Block],
    ledger: Path,
    *,
    run: str,
    budget: Budget = _UNLIMITED,
    step_budgets: Mapping[str, Budget] | None = None,
    concurrency: int | None = None,
    progress: Callable[[str], None] = _silent,
    retry_failed: bool = False,
    recipe: str = "RECIPE",
) -> AsyncIterator[Session]:
    """Models for a run. Nothing is opened, connected or started before the first call needs it.

    `run` names the account, the recipe's: what other engines spend and have spent under the same
    name counts against the budget, and what they spend for a step against the step's.
    `retry_failed` asks again for what failed by its row's own fault, which the ledger keeps;
    `recipe` is how commands name it, for advice.
    At the end the calls in flight are waited for, since they are paid; when the run is interrupted
    they are let go, and stay marked in the ledger. Raises UsageError when the budget's `max_cost`
    cannot be held for want of a price.
    """
    session = Session(
        providers,
        ledger,
        (budget, step_budgets),
        progress,
        concurrency=concurrency,
        run=run,
        retry_failed=retry_failed,
        recipe=recipe,
    )
    if budget.max_cost is not None:
        for name, block in providers.items():
            priced_for(budget, name, _provider(block))
    try:
        yield session
    finally:
        interrupted = isinstance(
            sys.exception(), (asyncio.CancelledError, KeyboardInterrupt, SystemExit)
        )
        await session.close(wait=not interrupted)


class Session:
    """The providers of a run, and what they were asked."""

    def __init__(
        self,
        providers: Mapping[str, Block],
        ledger: Path,
        budgets: tuple[Budget, Mapping[str, Budget] | None],
        progress: Callable[[str], None],
        *,
        concurrency: int | None,
        run: str,
        retry_failed: bool = False,
        recipe: str,
    ) -> None:
        self.usage: dict[tuple[str, str], Usage] = {}
        """By (step, provider)."""
        self._providers = dict(providers)
        self._path = ledger
        self._run = run
        self._ledger: Ledger | None = None
        self._most = concurrency
        self._progress = progress
        self._askers: dict[str, Asker] = {}
        self._connections: dict[str, Connection] = {}
        budget_gate = BudgetGate(*budgets, self.ledger, progress)
        self._state = SessionState(self.ledger, budget_gate, progress, retry_failed, recipe)

    def model(self, provider: str, step: str) -> Model:
        """The model of a provider, counted for a step."""
        usage = self.usage.setdefault((step, provider), Usage())
        return StepModel(self._asker(provider), step, usage)

    def provide(self, name: str, block: Block) -> None:
        """Have a provider that was not asked yet be another: its model is trained now."""
        self._providers[name] = block

    def spent(self) -> Spent:
        """Requests, tokens and cost of the account so far, over all its engines."""
        return self._state.budget_gate.spent()

    def total(self) -> Usage:
        """All the steps' usage together; no cost when it is in several currencies."""
        return summed(self.usage.values())

    def in_flight(self) -> int:
        """Calls that providers have now."""
        return len(self._state.in_flight)

    def ledger(self) -> Ledger:
        """The ledger, opened at the first call. Raises SftrecipeError."""
        if self._ledger is None:
            self._ledger = Ledger(self._path, self._run)
        return self._ledger

    async def close(self, *, wait: bool) -> None:
        """Stop asking, let what is in flight arrive (or let it go), and close everything."""
        ending = SftrecipeError("session-closed")
        for asker in self._askers.values():
            asker.stop(ending)
        try:
            await self._land(wait)
        finally:
            try:
                closing = [connection.close() for connection in self._connections.values()]
                await asyncio.gather(*closing, return_exceptions=True)
            finally:
                if self._ledger is not None:
                    self._ledger.close()

    async def _land(self, wait: bool) -> None:
        pending, in_flight = self._state.pending, self._state.in_flight
        while pending:
            for key, task in pending.items():
                if not wait or key not in in_flight:
                    task.cancel()
            await asyncio.wait(list(pending.values()), timeout=0.2)

    def _asker(self, name: str) -> Asker:
        asker = self._askers.get(name)
        if asker is None:
            block = self._providers[name]
            provider = _provider(block)
            most = provider.limits.concurrency or self._most or provider.default_concurrency
            folder = providers_folder(self._path)
            connection = Connection(provider, most, folder, self._progress)
            self._connections[name] = connection
            asker = Asker(
                name,
                block.use,
                provider,
                concurrency=most,
                connect=connection.adapter,
                state=self._state,
            )
            self._askers[name] = asker
        return asker


class Connection:
    """A provider's adapter, connected once; also the `Connecting` that the provider is given."""

    def __init__(
        self,
        provider: Provider,
        concurrency: int,
        folder: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._concurrency = concurrency
        self._folder = folder
        self._progress = progress
        self._done = asyncio.Event()
        self._adapter: asyncio.Future[Adapter] | None = None
        self._holder: asyncio.Task[None] | None = None

    async def adapter(self) -> Adapter:
        """The open adapter."""
        if self._adapter is None:
            self._adapter = asyncio.get_running_loop().create_future()
            self._holder = asyncio.create_task(self._hold(self._adapter))
        return await asyncio.shield(self._adapter)

    async def _hold(self, opened: asyncio.Future[Adapter]) -> None:
        # One task opens and closes: what a provider uses inside may be bound to its task.
        try:
            async with self._provider.connect(self) as adapter:
                opened.set_result(adapter)
                await self._done.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)
            opened.exception()

    async def close(self) -> None:
        """Close it, with every process that it started."""
        self._done.set()
        if self._holder is None or self._adapter is None:
            return
        if not self._adapter.done():
            self._holder.cancel()
        await self._holder

    def secret(self, value: str) -> str:
        """The value with `${env:NAME}` filled in."""
        filled = _VARIABLE.sub(_environment_value, value)
        if "://" not in filled:
            remember(filled)
        return filled

    @property
    def concurrency(self) -> int:
        """How many calls may be in flight at most."""
        return self._concurrency

    @property
    def limits(self) -> Limits:
        """The recipe's limits."""
        return self._provider.limits

    @property
    def folder(self) -> Path:
        """Where a provider leaves what it must find again after a kill."""
        return self._folder

    def progress(self, text: str) -> None:
        """One line that tells the user what is being waited for."""
        self._progress(scrub_message(text))


class Answerer(Protocol):
    """Who answers a step's requests: an Asker, or a dry run's stand-in."""

    @property
    def provider(self) -> Provider: ...

    async def ask(self, request: Request, step: str, usage: Usage) -> Reply: ...


class StepModel(Model):
    """A provider's model as one step sees it."""

    def __init__(self, asker: Answerer, step: str, usage: Usage) -> None:
        self._asker = asker
        self._step = step
        self._usage = usage

    async def send(self, request: Request) -> Reply:
        """The reply, out of the ledger or fresh. Raises CallFailed."""
        if request.messages:
            request = replace(request, messages=asked_turns(request.messages))
        speaks = request.tools or speaks_of_tools(request.messages)
        if speaks and "tools" not in self._able:
            text = own_text("takes-no-tools", model=self._asker.provider.model_name())
            raise CallFailed("final", text, reason="no_tools")
        if request.schema is None:
            return await self._ask(request)
        return await ask_structured(self._ask, request, "structured" in self._able)

    @property
    def _able(self) -> frozenset[str]:
        return self._asker.provider.capabilities()

    async def _ask(self, request: Request) -> Reply:
        check_asked(request)
        return await self._asker.ask(request, self._step, self._usage)


def _environment_value(match: re.Match[str]) -> str:
    value = os.environ.get(match.group(1))
    if not value:
        raise UsageError("unset-environment", "export-variable", name=match.group(1))
    return value


def _provider(block: Block) -> Provider:
    assert isinstance(block.plugin, Provider)  # noqa: S101 - a checked recipe's providers are
    return block.plugin


_UNASKED = frozenset({"reasoning", "train"})
"""Parts of a turn that are never sent, and so no part of a call's key: earlier thoughts, which the
models' own templates leave out, and whether a turn is learned."""
_PLAIN = {"role", "content"}


def asked_turns(turns: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """The turns that are sent."""
    return tuple(
        turn
        if turn.keys() <= _PLAIN
        else {name: value for name, value in turn.items() if name not in _UNASKED}
        for turn in turns
    )


def speaks_of_tools(turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a turn calls a tool, or is what one returned."""
    return any(turn.get("tool_calls") or turn.get("role") == "tool" for turn in turns)
