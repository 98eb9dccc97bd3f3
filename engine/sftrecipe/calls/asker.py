"""Asking one provider: through the ledger, within its limits and the budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sftrecipe.calls.ledger.accounts import Spent, Wall
from sftrecipe.calls.ledger.call_keys import call_key, provider_part, request_json
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.ledger.entries import (
    Claim,
    Ended,
    Entry,
    Returned,
    TakenElsewhere,
)
from sftrecipe.calls.limits.budget import BudgetGate, Reservations
from sftrecipe.calls.limits.failures import Breaker, RetryPolicy
from sftrecipe.calls.limits.pace import ConcurrencyLimit, Meter
from sftrecipe.calls.limits.server_limits import Mark, ServerLimits
from sftrecipe.calls.pending_call import PendingCall
from sftrecipe.calls.provider_notices import ProviderNotices
from sftrecipe.calls.redaction import scrub_answer, scrub_message
from sftrecipe.calls.replies.outcomes import billed, handed_on, kept_end, known_failure, taken
from sftrecipe.calls.replies.token_counts import believed
from sftrecipe.calls.replies.whole_replies import alike
from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import message
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.provider import (
    Adapter,
    Answer,
    CallFailed,
    Provider,
    Request,
    TellsLimits,
    TimedOut,
    no_reply_text,
)

LOOK_AGAIN, LONGEST_LOOK = 0.1, 20.0
"""Seconds between the first two looks at a call that another engine has in flight, and at most."""


@dataclass
class SessionState:
    """What all the providers of a session share."""

    ledger: Callable[[], Ledger]
    """Opens it at the first call."""
    budget_gate: BudgetGate
    tell: Callable[[str], None]
    """Shows the user one line."""
    retry_failed: bool = False
    """Whether calls are asked again that failed by their rows' own fault."""
    recipe: str = "RECIPE"
    """As commands name it, for advice."""
    pending: dict[str, asyncio.Task[Answer]] = field(default_factory=dict)
    """Calls being made by key: an equal one waits for the same reply."""
    in_flight: set[str] = field(default_factory=set)
    """Those of them that the provider has, and whose replies are lost if nobody waits for them."""


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
        state: SessionState,
    ) -> None:
        self.name = name
        self.provider = provider
        self.limits = provider.effective_limits()
        self.concurrency = ConcurrencyLimit(concurrency)
        self._use = use
        self._model = provider.model_name()
        self._part = provider_part(use, provider.identity())
        self._connect = connect
        self._adapter: Adapter | None = None
        self._telling: TellsLimits | None = None
        self._state = state
        self._requests = Meter(self.limits.rpm) if self.limits.rpm else None
        self._tokens = Meter(self.limits.tpm) if self.limits.tpm else None
        self._told = ServerLimits(requests=not self.limits.rpm, tokens=not self.limits.tpm)
        self._reservations = Reservations(provider, state.budget_gate, state.ledger)
        self._usage_told = True
        self._breaker = Breaker(
            name,
            self.limits,
            recipe=state.recipe,
            answered_before=lambda: state.ledger().has_reply(use, self._model),
            waiting=lambda: self._unsent,
            sorted_out=provider.deferred,
        )
        self._stopped: SftrecipeError | None = None
        self._calls = self._unsent = 0
        """Calls that are being made, and those of them that did not leave yet."""
        self._notices = ProviderNotices(name, state.tell)

    async def ask(self, request: Request, step: str, usage: Usage) -> Reply:
        """The reply: out of the ledger, of an equal call in flight, or asked for."""
        body = request_json(request)
        key, text = call_key(self._part, body), body.decode()
        del body  # orjson's buffer is many times the text, and thousands of calls may wait below
        pending = self._state.pending
        task = pending.get(key)
        if task is None:
            ledger, mark = self._state.ledger(), b""
            kept, entry = key, ledger.find(key)
            if entry is None or entry.state != "done":
                mark = alike(self._use, self._model, request)
            if entry is None and (whole := ledger.whole_reply(mark, self._part, request)):
                kept, entry = whole, ledger.find(whole)
            if entry is not None and entry.state == "done":
                usage.cached += 1
                return handed_on(kept, entry.answer(), usage)
            seen = entry if kept == key else None
            claim = Claim(key, self._use, self._model, request.kind, step, text, seen, alike=mark)
            task = asyncio.create_task(self._obtain(request, claim, usage))
            pending[key] = task
            task.add_done_callback(lambda ended: self._landed(key, ended))
        else:
            usage.cached += 1
        # A caller that gives up must not take the reply from the others, nor from the ledger.
        try:
            return handed_on(key, await asyncio.shield(task), usage)
        except CallFailed as failure:
            failure.key = key
            raise

    def _landed(self, key: str, task: asyncio.Task[Answer]) -> None:
        self._state.pending.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone: asyncio need not tell it to nobody

    def stop(self, error: SftrecipeError) -> None:
        """Let no further request leave: each raises the error."""
        self._stopped = self._stopped or error

    async def _obtain(self, request: Request, claim: Claim, usage: Usage) -> Answer:
        ledger = self._state.ledger()
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
                return await self._pay(PendingCall(request, claim, usage))
            except TakenElsewhere:
                claim = claim._replace(seen=ledger.find(claim.key))

    def _raise_known(self, entry: Entry, ledger: Ledger, usage: Usage) -> None:
        """What is known to fail is not asked; what failed in this run, not twice."""
        mine = entry.engine == ledger.engine
        failure = known_failure(entry, ask_again=self._state.retry_failed and not mine)
        if failure is None and entry.state == "failed" and mine:
            failure = CallFailed("final", entry.error or "")
        if failure is None:
            return
        if failure.outcome == "refused":
            usage.refused += 1
        else:
            usage.failed += 1
        raise failure

    async def _pay(self, call: PendingCall) -> Answer:
        self._breaker.call_comes()
        self._calls += 1
        self._unsent += 1
        try:
            answer = await self._tried(call)
        except CallFailed as failure:
            raise await self._failed(call, failure) from None
        finally:
            self._calls -= 1
            self._unsent -= not call.attempts
        await self._answered_with(call, answer)
        return answer

    async def _tried(self, call: PendingCall) -> Answer:
        """The answer, asked for as often as may help. Raises CallFailed."""
        try:
            return await self._attempt(call)
        except CallFailed as failure:
            if failure.outcome not in ("retry", "wait"):
                raise
            policy = RetryPolicy(
                self.limits,
                lambda: self._breaker.answered,
                stopped=lambda: self._stopped is not None,
                outage=lambda: self._breaker.out_of_order,
                told=self._notices.wait,
            )
            return await policy.attempt_again(failure, lambda: self._attempt(call))

    async def _attempt(self, call: PendingCall) -> Answer:
        """One request that leaves, at its turn."""
        if self._adapter is None:
            self._adapter = adapter = await self._connect()
            self._telling = adapter if isinstance(adapter, TellsLimits) else None
        ticket = await self.concurrency.enter(
            again=call.attempts > 0 and not self._breaker.out_of_order
        )
        turned_away = False
        try:
            await self._breaker.turn()
            await self._wait_for_meters(call)
            budget_gate, step = self._state.budget_gate, call.claim.step
            await budget_gate.leave(step, lambda walls: self._claim(call, walls))
            return await self._spend(call)
        except CallFailed as failure:
            turned_away = failure.outcome == "wait" or isinstance(failure, TimedOut)
            raise
        finally:
            self.concurrency.leave(ticket, turned_away=turned_away)

    async def _spend(self, call: PendingCall) -> Answer:
        """Use what is set aside: nothing leaves before the ledger says so."""
        spent = Spent()
        try:
            self._unsent -= not call.attempts
            call.attempts += 1
            call.usage.requests += call.reservation.requests
            answer = await self._send(call)
            counter = self.provider.token_counter
            asked = call.reservation.tokens - call.reservation.written
            answer, call.estimated = believed(answer, call.request, asked, counter)
            spent = self._reservations.spent(answer, call.reservation.requests)
            return answer
        except CallFailed as failure:
            told = self._reservations.told(failure, call.reservation.requests)
            spent = billed(failure, call.reservation, deferred=self.provider.deferred, told=told)
            call.usage.requests += spent.requests - call.reservation.requests
            lost = told is None and spent.tokens > 0
            returned = Returned(call.claim.key, call.claim.step, call.reservation, spent, lost)
            self._state.ledger().returned(returned)
            if why := self._breaker.attempt_failed(failure, expected=call.expected):
                self.stop(why)
            raise
        finally:
            self._state.budget_gate.landed()
            if self._tokens is not None:
                self._tokens.give_back(call.metered - spent.tokens)

    def _go_on(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    async def _wait_for_meters(self, call: PendingCall) -> None:
        if self._requests is not None:
            await self._requests.take(1)
        if self._tokens is not None:
            call.metered = self._reservations.tokens(call.claim, call.request)
            await self._tokens.take(call.metered)
        if self._told.hold():
            tokens = self._reservations.tokens(call.claim, call.request)
            await self._told.wait(tokens, self._notices.wait)

    def _claim(self, call: PendingCall, walls: Sequence[Wall]) -> None:
        """Write that an attempt leaves, and what is set aside for it. Raises Beyond."""
        self._go_on()
        ledger = self._state.ledger()
        call.reservation = self._reservations.of(call.claim, call.request, call.requests)
        if call.claimed:
            ledger.leaves_again(call.claim, call.reservation, walls)
        else:
            ledger.claim(call.claim, call.reservation, walls)
        call.claimed = True

    async def _send(self, call: PendingCall) -> Answer:
        assert self._adapter is not None  # noqa: S101 - connected above
        started = time.perf_counter()
        marks = self._told.leaves(call.reservation.tokens)
        if not self.provider.deferred:
            self._state.in_flight.add(call.claim.key)
        try:
            async with asyncio.timeout(self.limits.timeout):
                answer = scrub_answer(await self._adapter.send(call.request))
            self._heed(marks, answered=True)
            return taken(answer, call.request)
        except TimeoutError:
            raise TimedOut(no_reply_text(self.limits.timeout)) from None
        except CallFailed as failure:
            failure.message = scrub_message(failure.message)
            self._heed(marks, answered=False)
            raise
        finally:
            self._state.in_flight.discard(call.claim.key)
            call.latency = time.perf_counter() - started

    def _heed(self, marks: tuple[Mark | None, Mark | None], *, answered: bool) -> None:
        """Learn the limits that the server told with the reply that came just now."""
        if self._telling is not None and self._telling.limits_seen is not None:
            self._told.told(self._telling.limits_seen, marks, answered=answered)

    async def _answered_with(self, call: PendingCall, answer: Answer) -> None:
        self._breaker.reply_came()
        self._reservations.teach(call.claim, call.request, answer)
        if call.estimated and self._usage_told:
            self._usage_told = False
            self._state.tell(message("usage-estimated", {"provider": self.name}))
        paid = self._reservations.spent(answer, call.reservation.requests)
        usage, price = call.usage, self._reservations.price
        usage.asked += 1
        usage.estimated += call.estimated
        usage.input_tokens += answer.input_tokens
        usage.output_tokens += answer.output_tokens
        usage.cached_tokens += answer.cached_tokens
        usage.cost += paid.cost
        if price is not None:
            usage.currency = price.currency
        else:
            usage.unpriced += 1
        if answer.note:
            self._notices.odd(answer.note)
        await self._state.ledger().end(
            Ended(
                call.claim.key,
                call.claim.step,
                "done",
                call.latency,
                call.reservation,
                answer,
                self._reservations.priced(paid.cost),
                call.estimated,
                answer.note or None,
                call.claim.alike,
            )
        )

    async def _failed(self, call: PendingCall, failure: CallFailed) -> CallFailed | SftrecipeError:
        """Write a failure for good; too many of them stop the run."""
        refused = failure.outcome == "refused"
        if refused:
            call.usage.refused += 1
        else:
            call.usage.failed += 1
            why = self._breaker.call_failed(failure, others=self._calls - 1, expected=call.expected)
            if why is None and not call.usage.asked:
                others, known = len(self._state.in_flight), call.usage.cached > 0
                step = call.claim.step
                why = self._breaker.step_refused(failure, step, others=others, known=known)
            if why:
                self.stop(why)
        await self._state.ledger().end(
            Ended(
                call.claim.key,
                call.claim.step,
                "refused" if refused else "failed",
                call.latency,
                answer=None if refused else kept_end(failure, alive=self._breaker.alive),
                paid=self._reservations.priced(None),
                error=failure.message,
            )
        )
        return failure if refused else self._stopped or failure
