"""Asking one provider: through the ledger, within its limits and the budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from sftrecipe.calls.breaker import Breaker
from sftrecipe.calls.budget import OutputGuess, Purse, Spent, cost_of
from sftrecipe.calls.keys import call_key, provider_part, request_json
from sftrecipe.calls.ledger import UNPAID, Claim, Due, Ended, Entry, Ledger, Paid
from sftrecipe.calls.pace import Crowd, Meter
from sftrecipe.calls.prices import price_of
from sftrecipe.calls.retries import Patience
from sftrecipe.calls.scrubbing import scrub_answer, scrub_message
from sftrecipe.calls.server_limits import Mark, ServerLimits
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.context import Reply
from sftrecipe.plugin.limits_seen import TellsLimits
from sftrecipe.plugin.provider import (
    Adapter,
    Answer,
    CallFailed,
    Price,
    Provider,
    Request,
    TimedOut,
)

LOOK_AGAIN, LONGEST_LOOK = 0.1, 20.0
"""Seconds between the first two looks at a call that another engine has in flight, and at most."""


@dataclass
class Shared:
    """What all the providers of a session share."""

    ledger: Callable[[], Ledger]
    """Opens it at the first call."""
    purse: Purse
    flying: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)
    """Calls being made by key: an equal one waits for the same reply."""
    sending: set[str] = field(default_factory=set)
    """Those of them that the provider has, and whose replies are lost if nobody waits for them."""


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
    lost: Spent = field(default_factory=Spent)
    """What attempts without a reply may have cost."""
    noted: Spent = field(default_factory=Spent)
    """What the ledger says that they may have cost, those in flight included."""
    attempts: int = 0
    latency: float = 0.0

    @property
    def requests(self) -> int:
        """What the next attempt counts."""
        return 0 if self.claim.resumed and not self.attempts else 1

    def note_due(self, in_flight: Spent | None = None) -> Due:
        """Note what may be billed for nothing; what the ledger must add to what it says of it."""
        owed = Spent()
        owed.add(self.lost)
        owed.add(in_flight or Spent())
        due = Due(owed.tokens - self.noted.tokens, owed.cost - self.noted.cost)
        self.noted = owed
        return due


class TakenElsewhere(Exception):
    """Another engine took the call first."""


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
        self.limits = provider.effective_limits()
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
        self._breaker = Breaker(name, self.limits, sorted_out=provider.deferred)
        self._stopped: SftrecipeError | None = None

    async def ask(self, request: Request, step: str, usage: Usage) -> Reply:
        """The reply: out of the ledger, of an equal call in flight, or asked for."""
        body = request_json(request)
        key, text = call_key(self._part, body), body.decode()
        del body  # orjson's buffer is many times the text, and thousands of calls may wait below
        flying = self._shared.flying
        task = flying.get(key)
        if task is None:
            entry = self._shared.ledger().find(key)
            if entry is not None and entry.state == "done":
                usage.cached += 1
                return reply_of(key, entry.answer())
            claim = Claim(key, self._use, self._model, request.kind, step, text, entry)
            task = asyncio.create_task(self._obtain(request, claim, usage))
            flying[key] = task
            task.add_done_callback(lambda ended: self._landed(key, ended))
        else:
            usage.cached += 1
        # A caller that gives up must not take the reply from the others, nor from the ledger.
        try:
            return reply_of(key, await asyncio.shield(task))
        except CallFailed as failure:
            failure.key = key
            raise

    def _landed(self, key: str, task: asyncio.Task[Answer]) -> None:
        self._shared.flying.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: asyncio need not tell it to nobody

    def stop(self, error: SftrecipeError) -> None:
        """Let no further request leave: each raises the error."""
        self._stopped = self._stopped or error

    @cached_property
    def _price(self) -> Price | None:
        return price_of(self.provider)

    async def _obtain(self, request: Request, claim: Claim, usage: Usage) -> Answer:
        ledger = self._shared.ledger()
        pause = LOOK_AGAIN
        while True:
            self._go_on()
            entry = claim.seen
            if entry is not None:
                if entry.state == "done":
                    usage.cached += 1
                    return entry.answer()
                self._raise_known(entry, ledger, usage)
                if entry.engine != ledger.engine and ledger.asked_elsewhere(entry):
                    await asyncio.sleep(pause)
                    pause = min(1.1 * pause, LONGEST_LOOK)
                    claim = claim._replace(seen=ledger.find(claim.key))
                    continue
                # What a killed engine sent off goes on, and its request is counted already.
                resumed = self.provider.deferred and entry.state == "asking"
                claim = claim._replace(resumed=resumed)
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
                patience = Patience(self.limits, lambda: self._breaker.answered)
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
            paid = Spent(call.requests)
            call.attempts += 1
            call.usage.requests += paid.requests
            answer = await self._send(call)
            paid = replace(self._paid(answer), requests=paid.requests)
            return answer
        except CallFailed as failure:
            if isinstance(failure, TimedOut) or failure.status == 200:
                paid = call.reserved  # it may have been written, and billed, all the same
                call.lost.add(paid)
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
        """Write that an attempt leaves, and what it may cost."""
        ledger, due = self._shared.ledger(), call.note_due(call.reserved)
        if call.claimed:
            ledger.leaves_again(call.claim.key, due)
        elif not ledger.claim(call.claim._replace(due=due)):
            raise TakenElsewhere
        call.claimed = True

    async def _send(self, call: Call) -> Answer:
        assert self._adapter is not None  # noqa: S101 - connected above
        started = time.perf_counter()
        marks = self._told.leaves(call.reserved.tokens)
        if not self.provider.deferred:
            self._shared.sending.add(call.claim.key)
        try:
            async with asyncio.timeout(self.limits.timeout):
                answer = scrub_answer(await self._adapter.send(call.request))
            self._heed(marks, answered=True)
            return answer
        except TimeoutError:
            text = f"no reply within {self.limits.timeout:g} s"
            raise TimedOut(text) from None
        except CallFailed as failure:
            failure.message = scrub_message(failure.message)
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
        return Spent(call.requests, asked + written, cost_of(self._price, asked, written))

    def _paid(self, answer: Answer) -> Spent:
        tokens = (answer.input_tokens, answer.output_tokens)
        return Spent(1, sum(tokens), cost_of(self._price, *tokens))

    def _priced(self, cost: float | None) -> Paid:
        """A cost, with the price by which it is reckoned."""
        price = self._price
        return Paid(cost, price.input, price.output, price.currency) if price else UNPAID

    async def _answered_with(self, call: Call, answer: Answer) -> None:
        self._breaker.reply_came()
        self._output.seen(answer.output_tokens)
        paid = self._paid(answer)
        usage, price = call.usage, self._price
        usage.asked += 1
        usage.input_tokens += answer.input_tokens
        usage.output_tokens += answer.output_tokens
        usage.cost += paid.cost
        if price is not None:
            usage.currency = price.currency
        priced = self._priced(paid.cost)
        await self._shared.ledger().end(
            Ended(call.claim.key, "done", call.latency, call.note_due(), answer, priced)
        )

    async def _failed(self, call: Call, failure: CallFailed) -> CallFailed | SftrecipeError:
        """Write a failure for good; too many of them stop the run."""
        refused = failure.outcome == "refused"
        if refused:
            call.usage.refused += 1
        else:
            call.usage.failed += 1
            if why := self._breaker.call_failed(failure):
                self.stop(why)
        await self._shared.ledger().end(
            Ended(
                call.claim.key,
                "refused" if refused else "failed",
                call.latency,
                call.note_due(),
                paid=self._priced(None),
                error=failure.message,
            )
        )
        return failure if refused else self._stopped or failure


def reply_of(key: str, answer: Answer) -> Reply:
    """What a plugin is given of an answer."""
    return Reply(
        answer.text,
        key,
        answer.finish_reason,
        answer.logprobs,
        answer.vector,
        answer.input_tokens,
        answer.output_tokens,
    )
