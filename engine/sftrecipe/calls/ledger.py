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
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sftrecipe.calls.engines import Awaited, EngineLock, lives
from sftrecipe.calls.ledger_file import engines_folder, explained, open_ledger
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.provider import Answer

State = Literal["asking", "done", "failed", "refused"]


class Entry(NamedTuple):
    """What the ledger knows of a call."""

    state: State
    engine: int
    reply: str
    finish: str
    input_tokens: int
    output_tokens: int
    logprobs: bytes | None
    vector: bytes | None
    error: str | None

    def answer(self) -> Answer:
        """The reply of a call that is done."""
        return Answer(
            self.reply,
            self.finish,
            self.input_tokens,
            self.output_tokens,
            numbers(self.logprobs),
            numbers(self.vector),
        )


class Due(NamedTuple):
    """Tokens and cost of attempts that may be billed although no reply came of them.

    What is in flight counts among them until it is known better: an engine that is killed cannot
    tell any more, and the budget must hold all the same.
    """

    tokens: int = 0
    cost: float = 0.0


NOTHING_DUE = Due()


class Claim(NamedTuple):
    """A call that is about to leave."""

    key: str
    provider: str
    model: str
    kind: str
    step: str
    request: str
    seen: Entry | None
    """What the ledger said of it: another engine that was faster is noticed by this."""
    resumed: bool = False
    """Whether it left before already, and is waited for again: no further request."""
    due: Due = NOTHING_DUE
    """What it may cost."""


class Paid(NamedTuple):
    """What a reply cost, and by which price."""

    cost: float | None = None
    input_price: float | None = None
    output_price: float | None = None
    currency: str | None = None


UNPAID = Paid()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    key: str
    state: State
    latency: float
    due: Due
    """What is to be added to that of its lost attempts, or taken off."""
    answer: Answer | None = None
    paid: Paid = UNPAID
    error: str | None = None


FIND = """SELECT state, engine, reply, finish, input_tokens, output_tokens, logprobs, vector, error
FROM calls WHERE key = ?"""
_CLAIM = """INSERT INTO calls (key, state, engine, provider, model, kind, run, step, asked,
attempts, request, lost_tokens, lost_cost) VALUES (?, 'asking', ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET state = 'asking', engine = excluded.engine, run = excluded.run,
step = excluded.step, asked = excluded.asked, error = NULL, attempts = attempts + ?,
lost_tokens = ? * lost_tokens + excluded.lost_tokens, lost_cost = ? * lost_cost + excluded.lost_cost
WHERE state = ? AND engine = ?"""
SPENT = """SELECT step, sum(attempts),
sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + lost_tokens),
sum(coalesce(cost, 0.0) + lost_cost) FROM calls WHERE run = ? GROUP BY step"""
_AGAIN = """UPDATE calls SET attempts = attempts + 1, lost_tokens = lost_tokens + ?,
lost_cost = lost_cost + ? WHERE key = ? AND engine = ?"""
_END = """UPDATE calls SET state = ?, lost_tokens = lost_tokens + ?, lost_cost = lost_cost + ?,
latency = ?, reply = ?, finish = ?, input_tokens = ?, output_tokens = ?, logprobs = ?,
vector = ?, cost = ?, input_price = ?, output_price = ?, currency = ?, priced = ?, error = ?,
raw = ? WHERE key = ? AND engine = ?"""


class Ledger:
    """One engine's hand on the ledger; used in one event loop."""

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.run = run
        self._connection = open_ledger(path)
        self._folder = engines_folder(path)
        self._waiting: list[tuple[asyncio.Future[None], Ended]] = []
        self._dead: set[int] = set()
        self._awaited = Awaited(self._folder)
        self._today = time.strftime("%Y-%m-%d")
        with explained(path):
            self._lock = EngineLock(self._folder)
            cursor = self._connection.execute(
                "INSERT INTO engines (token, run, pid, started) VALUES (?, ?, ?, ?)",
                (self._lock.token, run, os.getpid(), time.time()),
            )
        self.engine = int(cursor.lastrowid or 0)

    def find(self, key: str) -> Entry | None:
        """What is known of a call."""
        try:
            row = self._connection.execute(FIND, (key,)).fetchone()
        except sqlite3.Error:
            with explained(self.path):
                raise
        return Entry(*row) if row else None

    def asked_elsewhere(self, entry: Entry) -> bool:
        """Whether the call is in flight in another engine that lives."""
        if entry.state != "asking" or entry.engine in self._dead:
            return False
        query = "SELECT token FROM engines WHERE id = ? AND closed IS NULL"
        row = self._connection.execute(query, (entry.engine,)).fetchone()
        if row and lives(self._folder, row[0]):
            self._awaited.waits_for(row[0], self.path)
            return True
        self._dead.add(entry.engine)
        return False

    def claim(self, claim: Claim) -> bool:
        """Write that a call is in flight; False if another engine has it.

        At once, since a free place at the provider waits for it; replies go along.
        """
        return self._write(claim)

    def leaves_again(self, key: str, due: Due) -> None:
        """Write that a call makes another attempt."""
        with explained(self.path):
            self._connection.execute(_AGAIN, (*due, key, self.engine))

    def end(self, ended: Ended) -> asyncio.Future[None]:
        """Write how a call ended; done once that is safe."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._write_waiting)
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((done, ended))
        return done

    def spent(self) -> dict[str, tuple[int, int, float]]:
        """Requests, tokens and cost of this run's steps, over all the engines that worked at it."""
        with explained(self.path):
            rows = self._connection.execute(SPENT, (self.run,)).fetchall()
        return {step: tuple(spent) for step, *spent in rows}

    def close(self) -> None:
        """Write what waits, and leave the ledger."""
        if self._waiting:
            self._write()
        try:
            with explained(self.path):
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

    def _write(self, claim: Claim | None = None) -> bool:
        """Commit the replies that wait, and a claim with them: whether it is this engine's now."""
        batch, self._waiting = self._waiting, []
        try:
            with explained(self.path):
                claimed = self._commit([ended for _, ended in batch], claim)
        except Exception as error:
            for done, _ in batch:
                if not done.done():
                    done.set_exception(error)
            raise
        for done, _ in batch:
            if not done.done():
                done.set_result(None)
        return claimed

    def _commit(self, replies: list[Ended], claim: Claim | None) -> bool:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for ended in replies:
                run(*self._ended(ended))
            claimed = claim is not None and run(*self._claimed(claim)).rowcount == 1
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        return claimed

    def _claimed(self, claim: Claim) -> tuple[str, tuple[Any, ...]]:
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
            *claim.due,
            *3 * (0 if claim.resumed else 1,),
            *seen,
        )

    def _ended(self, ended: Ended) -> tuple[str, tuple[Any, ...]]:
        answer = ended.answer or Answer("")
        return _END, (
            ended.state,
            *ended.due,
            ended.latency,
            answer.text,
            answer.finish_reason,
            answer.input_tokens,
            answer.output_tokens,
            _packed(answer.logprobs),
            _packed(answer.vector),
            *ended.paid,
            self._today,
            ended.error,
            answer.raw,
            ended.key,
            self.engine,
        )


def numbers(packed: bytes | None) -> tuple[float, ...]:
    """Numbers as the ledger keeps them, to the last bit."""
    return tuple(array("d", packed)) if packed else ()


def _packed(values: tuple[float, ...]) -> bytes | None:
    return array("d", values).tobytes() if values else None
