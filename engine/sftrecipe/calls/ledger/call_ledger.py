"""The ledger of all calls: written before a call leaves, and at its reply.

Replies are gathered for one turn of the event loop, or until the next call leaves, and committed
together. A committed row outlives a killed process; only a power cut may lose the last moment's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe.calls.ledger.accounts import (
    Account,
    Beyond,
    Change,
    Reservation,
    Spent,
    Wall,
    account_of,
    fold,
    gone,
    set_aside,
    settled,
)
from sftrecipe.calls.ledger.database import engines_folder, explained, open_ledger, transaction
from sftrecipe.calls.ledger.engines import Awaited, EngineLock, lives
from sftrecipe.calls.ledger.entries import (
    FIND,
    NOTHING_RESERVED,
    Claim,
    Ended,
    Entry,
    Returned,
    TakenElsewhere,
    packed,
)
from sftrecipe.calls.replies.reply_parts import calls_text
from sftrecipe.calls.replies.whole_replies import KEEP, is_kept, whole_reply
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.provider import Answer, Request

_CLAIM = """INSERT INTO calls (key, state, engine, provider, model, kind, run, step, asked,
attempts, request, lost_tokens, lost_cost) VALUES (?, 'asking', ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET state = 'asking', engine = excluded.engine, run = excluded.run,
step = excluded.step, asked = excluded.asked, error = NULL, attempts = attempts + ?,
lost_tokens = ? * lost_tokens + excluded.lost_tokens, lost_cost = ? * lost_cost + excluded.lost_cost
WHERE state = ? AND engine = ?"""
# What is in flight counts among what was lost until it is known better: an engine that is killed
# cannot tell any more.
_CHANGE = """UPDATE calls SET attempts = attempts + ?, lost_tokens = lost_tokens + ?,
lost_cost = lost_cost + ? WHERE key = ? AND engine = ?"""
_END = """UPDATE calls SET state = ?, lost_tokens = lost_tokens - ?, lost_cost = lost_cost - ?,
latency = ?, reply = ?, finish = ?, input_tokens = ?, output_tokens = ?, logprobs = ?,
vector = ?, cost = ?, input_price = ?, output_price = ?, currency = ?, cached_price = ?,
priced = ?, error = ?, raw = ?, cached_tokens = ?, estimated = ?, reasoning = ?,
tool_calls = ? WHERE key = ? AND engine = ?"""
_LENGTHS = """SELECT step, output_tokens, finish, request FROM calls
WHERE rowid > (SELECT max(rowid) FROM calls) - 5000 AND provider = ? AND model = ?
AND state = 'done' ORDER BY rowid DESC LIMIT 200"""
_RESUMED = "SELECT run, step, lost_tokens, lost_cost FROM calls WHERE key = ?"


class _Leaving(NamedTuple):
    """A call that leaves, what is set aside for it, and the budgets that it must not pass."""

    claim: Claim
    reservation: Reservation
    walls: Sequence[Wall]
    again: bool = False


_LOOKED_AT = 100_000
"""Calls that are looked at for a model's own: a ledger of millions is not read through."""


class Ledger:
    """One engine's hand on the ledger; used in one event loop."""

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.run = run
        self._connection = open_ledger(path)
        self._folder = engines_folder(path)
        self._waiting: list[tuple[asyncio.Future[None], Ended | Returned]] = []
        self._dead: set[int] = set()
        self._awaited = Awaited(self._folder)
        self._today = time.strftime("%Y-%m-%d")
        with explained(path):
            # What engines that died without another's noticing had set aside is spent.
            with transaction(self._connection):
                fold(self._connection, gone(self._connection, self._lives))
            self._lock = EngineLock(self._folder)
            cursor = self._connection.execute(
                "INSERT INTO engines (token, run, pid, started) VALUES (?, ?, ?, ?)",
                (self._lock.token, run, os.getpid(), time.time()),
            )
        self.engine = int(cursor.lastrowid or 0)
        # Within a transaction nobody is waited for: no need of the connection's patience.
        self._cursor = self._connection.cursor()
        self._account = Account(self._connection, self._cursor, run, self.engine)

    def find(self, key: str) -> Entry | None:
        """What is known of a call."""
        try:
            row = self._connection.execute(FIND, (key,)).fetchone()
        except sqlite3.Error:
            with explained(self.path):
                raise
        return Entry(*row) if row else None

    def whole_reply(self, mark: bytes, provider: bytes, request: Request) -> str | None:
        """The key of a reply that is what the request's would be, under another `max_tokens`."""
        try:
            return whole_reply(self._connection, mark, provider, request)
        except sqlite3.Error:
            with explained(self.path):
                raise

    def has_reply(self, provider: str, model: str) -> bool:
        """Whether a reply of the model lies in it, among its latest calls."""
        query = """SELECT 1 FROM calls WHERE rowid > (SELECT max(rowid) FROM calls) - ?
        AND state = 'done' AND provider = ? AND model = ? LIMIT 1"""
        try:
            return (
                self._connection.execute(query, (_LOOKED_AT, provider, model)).fetchone()
                is not None
            )
        except sqlite3.Error:
            with explained(self.path):
                raise

    def asked_elsewhere(self, entry: Entry) -> bool:
        """Whether the call is in flight in another engine that lives."""
        if entry.state != "asking" or entry.engine in self._dead:
            return False
        query = "SELECT token FROM engines WHERE id = ? AND closed IS NULL"
        row = self._connection.execute(query, (entry.engine,)).fetchone()
        if row and self._lives(row[0]):
            self._awaited.waits_for(row[0], self.path)
            return True
        self._dead.add(entry.engine)
        return False

    def _lives(self, token: str) -> bool:
        return lives(self._folder, token)

    def claim(
        self, claim: Claim, reservation: Reservation = NOTHING_RESERVED, walls: Sequence[Wall] = ()
    ) -> None:
        """Write that a call leaves for the first time, with what is set aside for it.

        At once, since a free place at the provider waits for it; replies go along. Raises
        TakenElsewhere if another engine has it, and Beyond, with nothing set aside, where a budget
        does not reach.
        """
        self._write(_Leaving(claim, reservation, walls))

    def leaves_again(
        self, claim: Claim, reservation: Reservation, walls: Sequence[Wall] = ()
    ) -> None:
        """Write that a call makes another attempt. Raises Beyond."""
        self._write(_Leaving(claim, reservation, walls, again=True))

    def returned(self, returned: Returned) -> None:
        """Write, before long, that an attempt brought no reply."""
        self._wait(returned)

    def end(self, ended: Ended) -> asyncio.Future[None]:
        """Write how a call ended; done once that is safe."""
        return self._wait(ended)

    def _wait(self, ended: Ended | Returned) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._write_waiting)
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((done, ended))
        return done

    def spent(self) -> dict[str, Spent]:
        """What the steps have spent and set aside, over all the engines of the account."""
        with explained(self.path):
            return self._account.spent()

    def others_in_flight(self, step: str | None) -> bool:
        """Whether other engines have calls of the account, or of its step, in flight.

        What those set aside that have died is spent from now on.
        """
        with explained(self.path):
            found = self._account.in_flight_elsewhere(step)
            dead = [engine for engine, token in found if not self._lives(token)]
            if dead:
                with transaction(self._connection):
                    fold(self._connection, dead)
        return bool(found)

    def lengths(self, provider: str, model: str) -> list[tuple[str, int, str, str]]:
        """Step, output tokens, finish reason and request of a model's latest replies."""
        with explained(self.path):
            return self._connection.execute(_LENGTHS, (provider, model)).fetchall()

    def close(self) -> None:
        """Write what waits, and leave the ledger."""
        if self._waiting:
            self._write()
        try:
            with explained(self.path), transaction(self._connection):
                fold(self._connection, [self.engine])
                self._connection.execute(
                    "UPDATE engines SET closed = ? WHERE id = ?", (time.time(), self.engine)
                )
        finally:
            self._connection.close()
            self._lock.release()

    def _write_waiting(self) -> None:
        if self._waiting:
            with contextlib.suppress(SftrecipeError):  # every waiting call is told
                self._write()

    def _write(self, leaving: _Leaving | None = None) -> None:
        """Commit the replies that wait, and with them that a call leaves."""
        batch, self._waiting = self._waiting, []
        try:
            with explained(self.path):
                refused = self._commit([ended for _, ended in batch], leaving)
        except Exception as error:
            for done, _ in batch:
                if not done.done():
                    done.set_exception(error)
                    done.exception()  # nobody waits for what only returned
            raise
        for done, _ in batch:
            if not done.done():
                done.set_result(None)
        if refused is not None:
            raise refused

    def _commit(
        self, batch: Sequence[Ended | Returned], leaving: _Leaving | None
    ) -> Beyond | TakenElsewhere | None:
        """Why the call does not leave; None where it does."""
        refused = None
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for ended in batch:
                self._settle(ended)
            if leaving is not None:
                refused = self._leave(leaving)
            self._account.book()
            self._cursor.execute("COMMIT")
        except BaseException:
            self._account.roll_back()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return refused

    def _settle(self, ended: Ended | Returned) -> None:
        if isinstance(ended, Ended):
            self._cursor.execute(*self._ended(ended))
            answer = ended.answer or Answer("")
            if ended.state == "done" and is_kept(ended.alike, answer.finish_reason):
                self._cursor.execute(KEEP, (ended.alike, ended.key))
            if ended.reservation is not None:
                tokens = answer.input_tokens + answer.output_tokens
                spent = Spent(ended.reservation.requests, tokens, ended.paid.cost or 0.0)
                self._account.add(ended.step, settled(ended.reservation, spent))
            return
        reservation, spent = ended.reservation, ended.spent
        values = (
            spent.requests - reservation.requests,
            spent.tokens - reservation.tokens,
            spent.cost - reservation.cost,
        )
        self._cursor.execute(_CHANGE, (*values, ended.key, self.engine))
        self._account.add(ended.step, settled(reservation, spent, lost=ended.lost))

    def _leave(self, leaving: _Leaving) -> Beyond | TakenElsewhere | None:
        claim, reservation, again = leaving.claim, leaving.reservation, leaving.again
        before = None
        if claim.resumed and not again:
            # What a killed engine set aside for a call that goes on is set aside anew.
            before = self._cursor.execute(_RESUMED, (claim.key,)).fetchone()
        try:
            self._account.check(
                leaving.walls, claim.step, _not_reserved_before(reservation, before)
            )
        except Beyond as beyond:
            # What somebody else has asked meanwhile need not be asked any more.
            return beyond if again or not self._is_taken(claim) else TakenElsewhere()
        if again:
            values = (
                reservation.requests,
                reservation.tokens,
                reservation.cost,
                claim.key,
                self.engine,
            )
            self._cursor.execute(_CHANGE, values)
        elif self._cursor.execute(*self._claimed(claim, reservation)).rowcount != 1:
            return TakenElsewhere()
        self._account.add(claim.step, set_aside(reservation))
        if before is not None:
            run, step, tokens, cost = before
            self._account.add(step, Change(tokens=-tokens, cost=-cost), account_of(run))
        return None

    def _is_taken(self, claim: Claim) -> bool:
        now = self._cursor.execute(FIND, (claim.key,)).fetchone()
        seen = claim.seen and (claim.seen.state, claim.seen.engine)
        return (tuple(now[:2]) if now else None) != seen

    def _claimed(self, claim: Claim, reservation: Reservation) -> tuple[str, tuple[Any, ...]]:
        seen = (claim.seen.state, claim.seen.engine) if claim.seen else (None, None)
        return _CLAIM, (
            claim.key,
            self.engine,
            claim.provider,
            claim.model,
            claim.kind,
            self.run,
            claim.step,
            time.time(),
            claim.request,
            reservation.tokens,
            reservation.cost,
            *3 * (0 if claim.resumed else 1,),
            *seen,
        )

    def _ended(self, ended: Ended) -> tuple[str, tuple[Any, ...]]:
        answer, reservation = ended.answer or Answer(""), ended.reservation or NOTHING_RESERVED
        return _END, (
            ended.state,
            reservation.tokens,
            reservation.cost,
            ended.latency,
            answer.text,
            answer.finish_reason,
            answer.input_tokens,
            answer.output_tokens,
            packed(answer.logprobs),
            packed(answer.vector),
            *ended.paid,
            self._today,
            ended.error,
            answer.raw,
            answer.cached_tokens,
            ended.estimated,
            answer.reasoning,
            calls_text(answer.tool_calls),
            ended.key,
            self.engine,
        )


def _not_reserved_before(
    reservation: Reservation, before: tuple[str, str, int, float] | None
) -> Reservation:
    """A reservation without what is set aside for the same call already."""
    if before is None:
        return reservation
    *_, tokens, cost = before
    return reservation._replace(
        tokens=max(0, reservation.tokens - tokens), cost=max(0.0, reservation.cost - cost)
    )
