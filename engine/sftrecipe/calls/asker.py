"""Asking one provider: through the ledger, within its limits and the budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from sftrecipe.calls.budget import OutputGuess, Purse, Spent, cost_of
from sftrecipe.calls.keys import call_key, provider_part, request_json
from sftrecipe.calls.ledger import UNPAID, Claim, Ended, Entry, Ledger, Paid
from sftrecipe.calls.pace import Crowd, Meter
from sftrecipe.calls.prices import price_of
from sftrecipe.calls.retries import Patience
from sftrecipe.calls.server_limits import Mark, ServerLimits
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.context import Reply
from sftrecipe.plugin.limits_seen import TellsLimits
from sftrecipe.plugin.provider import Adapter, Answer, CallFailed, Price, Provider, Request

LOOK_AGAIN = 0.1
"""Seconds between two looks at a call that another engine has in flight."""


@dataclass
class Shared:
    """What all the providers of a session share."""

    ledger: Callable[[], Ledger]
    """Opens it at the first call."""
    purse: Purse
    scrub: Callable[[str], str]
    """Takes secrets out of a text."""
    flying: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)
    """Calls being made by key: an equal one waits for the same reply."""
    sending: set[str] = field(default_factory=set)
    """Those of them that the provider has."""


@dataclass(slots=True)
class Call:
    """One call while it is being made."""

    request: Request
    claim: Claim
    usage: Usage
    reserved: Spent = field(default_factory=Spent)
    metered: int = 0
    """Tokens that were taken from the meter."""
    claimed: bool = False
    attempts: int = 0
    latency: float = 0.0


class TakenElsewhere(Exception):
    """Another engine took the call first."""


class TimedOut(CallFailed):
    """No reply in time."""


class Asker:
    """One provider's model."""

    def __init__(
        self,
        name: str,
        use: str,
        provider: Provider,
        *,
        concurrency: int,
        connect: Callable[[], Awaitable[Adapter]],
        shared: Shared,
    ) -> None:
        self.name = name
        self.provider = provider
        self.limits = provider.limits
        self.crowd = Crowd(concurrency)
        self._use = use
        self._model = provider.model_name()
        self._part = provider_part(use, provider.identity())
        self._connect = connect
        self._adapter: Adapter | None = None
        self._telling: TellsLimits | None = None
        self._shared = shared
        self._requests = Meter(self.limits.rpm) if self.limits.rpm else None
        self._tokens = Meter(self.limits.tpm) if self.limits.tpm else None
        self._told = ServerLimits(requests=not self.limits.rpm, tokens=not self.limits.tpm)
        self._output = OutputGuess()
        self._failures_in_a_row = 0
        self._answered = 0
        self._stopped: SftrecipeError | None = None

    async def ask(self, request: Request, step: str, usage: Usage) -> Reply:
        """The reply: out of the ledger, of an equal call in flight, or asked for."""
        body = request_json(request)
        key = call_key(self._part, body)
        flying = self._shared.flying
        task = flying.get(key)
        if task is None:
            entry = self._shared.ledger().find(key)
            if entry is not None and entry.state == "done":
                usage.cached += 1
                return _reply(key, entry.answer())
            claim = Claim(key, self._use, self._model, request.kind, step, body.decode(), entry)
            task = asyncio.create_task(self._obtain(request, claim, usage))
            flying[key] = task
            task.add_done_callback(lambda _: flying.pop(key, None))
        else:
            usage.cached += 1
        # A caller that gives up must not take the reply from the others, nor from the ledger.
        return _reply(key, await asyncio.shield(task))

    def stop(self, error: SftrecipeError) -> None:
        """Let no further request leave: each raises the error."""
        self._stopped = self._stopped or error

    @cached_property
    def _price(self) -> Price | None:
        return price_of(self.provider)

    async def _obtain(self, request: Request, claim: Claim, usage: Usage) -> Answer:
        ledger = self._shared.ledger()
        while True:
            self._go_on()
            entry = claim.seen
            if entry is not None:
                if entry.state == "done":
                    usage.cached += 1
                    return entry.answer()
                self._raise_known(entry, ledger, usage)
                if entry.engine != ledger.engine and ledger.asked_elsewhere(entry):
                    await asyncio.sleep(LOOK_AGAIN)
                    claim = claim._replace(seen=ledger.find(claim.key))
                    continue
            try:
                return await self._pay(Call(request, claim, usage))
            except TakenElsewhere:
                claim = claim._replace(seen=ledger.find(claim.key))

    def _raise_known(self, entry: Entry, ledger: Ledger, usage: Usage) -> None:
        """A refusal is for ever; another failure for this run, since nothing was paid for it."""
        if entry.state == "refused":
            usage.refused += 1
            raise CallFailed("refused", entry.error or "")
        if entry.state == "failed" and entry.engine == ledger.engine:
            usage.failed += 1
            raise CallFailed("final", entry.error or "")

    async def _pay(self, call: Call) -> Answer:
        try:
            try:
                answer = await self._attempt(call)
            except CallFailed as failure:
                if failure.outcome not in ("retry", "wait"):
                    raise
                patience = Patience(self.limits, lambda: self._answered)
                answer = await patience.attempt_again(failure, lambda: self._attempt(call))
        except CallFailed as failure:
            raise await self._failed(call, failure) from None
        await self._answered_with(call, answer)
        return answer

    async def _attempt(self, call: Call) -> Answer:
        """One request that leaves, at its turn."""
        if self._adapter is None:
            self._adapter = adapter = await self._connect()
            self._telling = adapter if isinstance(adapter, TellsLimits) else None
        ticket = await self.crowd.enter(again=call.attempts > 0)
        turned_away = False
        try:
            await self._wait_for_meters(call)
            step = call.claim.step
            call.reserved = await self._shared.purse.reserve(lambda: self._estimate(call), step)
            return await self._spend(call)
        except CallFailed as failure:
            turned_away = failure.outcome == "wait" or isinstance(failure, TimedOut)
            raise
        finally:
            self.crowd.leave(ticket, turned_away=turned_away)

    async def _spend(self, call: Call) -> Answer:
        """Use what is reserved: nothing leaves before the ledger says so."""
        paid = Spent()
        try:
            self._go_on()
            self._claim(call)
            call.attempts += 1
            call.usage.requests += 1
            paid = Spent(1)
            answer = await self._send(call)
            paid = self._paid(answer)
            return answer
        except CallFailed as failure:
            if isinstance(failure, TimedOut) or failure.status == 200:
                paid = call.reserved  # it may have been written, and billed, all the same
            raise
        finally:
            self._shared.purse.settle(call.reserved, paid, call.claim.step)
            if self._tokens is not None:
                self._tokens.give_back(call.metered - paid.tokens)

    def _go_on(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    async def _wait_for_meters(self, call: Call) -> None:
        if self._requests is not None:
            await self._requests.take(1)
        if self._tokens is not None:
            call.metered = self._estimate(call).tokens
            await self._tokens.take(call.metered)
        if self._told.hold():
            await self._told.wait(self._estimate(call).tokens)

    def _claim(self, call: Call) -> None:
        if call.claimed:
            return
        if not self._shared.ledger().claim(call.claim):
            raise TakenElsewhere
        call.claimed = True

    async def _send(self, call: Call) -> Answer:
        assert self._adapter is not None  # noqa: S101 - connected above
        started = time.perf_counter()
        marks = self._told.leaves(call.reserved.tokens)
        self._shared.sending.add(call.claim.key)
        try:
            async with asyncio.timeout(self.limits.timeout):
                answer = await self._adapter.send(call.request)
            self._heed(marks, answered=True)
            return answer
        except TimeoutError:
            text = f"no reply within {self.limits.timeout:g} s"
            raise TimedOut("retry", text) from None
        except CallFailed as failure:
            failure.message = self._shared.scrub(failure.message)
            failure.args = (failure.message,)
            self._heed(marks, answered=False)
            raise
        finally:
            self._shared.sending.discard(call.claim.key)
            call.latency = time.perf_counter() - started

    def _heed(self, marks: tuple[Mark | None, Mark | None], *, answered: bool) -> None:
        """Learn the limits that the server told with the reply that came just now."""
        if self._telling is not None and self._telling.limits_seen is not None:
            self._told.told(self._telling.limits_seen, marks, answered=answered)

    def _estimate(self, call: Call) -> Spent:
        """The most that an attempt probably takes."""
        claim, request = call.claim, call.request
        # Three bytes a token is on the high side for English and about right for Chinese.
        asked = len(claim.request) // 3 + 8 if claim.request.isascii() else len(claim.request)
        written = 0
        if request.kind in ("chat", "complete"):
            written = self._output.guess(request.sampling.get("max_tokens"))
        return Spent(1, asked + written, cost_of(self._price, asked, written))

    def _paid(self, answer: Answer) -> Spent:
        tokens = (answer.input_tokens, answer.output_tokens)
        return Spent(1, sum(tokens), cost_of(self._price, *tokens))

    async def _answered_with(self, call: Call, answer: Answer) -> None:
        self._answered += 1
        self._failures_in_a_row = 0
        self._output.seen(answer.output_tokens)
        paid = self._paid(answer)
        usage, price = call.usage, self._price
        usage.asked += 1
        usage.input_tokens += answer.input_tokens
        usage.output_tokens += answer.output_tokens
        usage.cost += paid.cost
        priced = UNPAID
        if price is not None:
            usage.currency = price.currency
            priced = Paid(paid.cost, price.input, price.output, price.currency)
        kept = answer._replace(raw=self._shared.scrub(answer.raw))
        await self._shared.ledger().end(
            Ended(call.claim.key, "done", call.attempts, call.latency, kept, priced)
        )

    async def _failed(self, call: Call, failure: CallFailed) -> CallFailed | SftrecipeError:
        """Write a failure for good; too many of them stop the run."""
        refused = failure.outcome == "refused"
        await self._shared.ledger().end(
            Ended(
                call.claim.key,
                "refused" if refused else "failed",
                call.attempts,
                call.latency,
                error=failure.message,
            )
        )
        if refused:
            call.usage.refused += 1
            return failure
        call.usage.failed += 1
        self._failures_in_a_row += 1
        if self._is_hopeless(failure):
            self.stop(
                SftrecipeError(
                    "provider-failing",
                    "provider-failing",
                    provider=self.name,
                    count=self._failures_in_a_row,
                    error=failure.message,
                )
            )
        return self._stopped or failure

    def _is_hopeless(self, failure: CallFailed) -> bool:
        if self._failures_in_a_row >= self.limits.stop_after_failures or failure.status == 401:
            return True
        # Nothing was ever answered, and what came back has nothing to do with this one request.
        return not self._answered and (
            failure.status in (403, 404, 405) or failure.outcome in ("retry", "wait")
        )


def _reply(key: str, answer: Answer) -> Reply:
    return Reply(
        answer.text,
        key,
        answer.finish_reason,
        answer.logprobs,
        answer.vector,
        answer.input_tokens,
        answer.output_tokens,
    )
