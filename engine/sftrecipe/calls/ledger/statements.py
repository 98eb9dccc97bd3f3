"""What is written of a call into the ledger: the SQL statements, with their values."""

from __future__ import annotations

import time
from typing import Any

from sftrecipe.calls.ledger.accounts import Reservation, Spent
from sftrecipe.calls.ledger.entries import NOTHING_RESERVED, Claim, Ended, packed
from sftrecipe.calls.replies.reply_parts import calls_text
from sftrecipe.plugin.provider import Answer

Statement = tuple[str, tuple[Any, ...]]
NO_ANSWER = Answer("")

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
_TAKE_BACK = """UPDATE calls SET state = ?, engine = ?, error = ?, attempts = attempts - ?,
lost_tokens = lost_tokens - ?, lost_cost = lost_cost - ? WHERE key = ? AND engine = ?"""
_FORGET = "DELETE FROM calls WHERE key = ? AND engine = ?"


def first_attempt(claim: Claim, reservation: Reservation, run: str, engine: int) -> Statement:
    """A call leaves; no row is changed where another engine has it."""
    seen = (claim.seen.state, claim.seen.engine) if claim.seen else (None, None)
    return _CLAIM, (
        claim.key,
        engine,
        claim.provider,
        claim.model,
        claim.kind,
        run,
        claim.step,
        time.time(),
        claim.request,
        reservation.tokens,
        reservation.cost,
        *3 * (0 if claim.resumed else 1,),
        *seen,
    )


def another_attempt(key: str, reservation: Reservation, engine: int) -> Statement:
    """A call leaves again."""
    return _CHANGE, (reservation.requests, reservation.tokens, reservation.cost, key, engine)


def attempt_settled(key: str, reservation: Reservation, spent: Spent, engine: int) -> Statement:
    """An attempt brought no reply."""
    return _CHANGE, (
        spent.requests - reservation.requests,
        spent.tokens - reservation.tokens,
        spent.cost - reservation.cost,
        key,
        engine,
    )


def claim_taken_back(claim: Claim, reservation: Reservation, engine: int) -> Statement:
    """A call that was claimed did not leave: it is what it was before."""
    if claim.seen is None:
        return _FORGET, (claim.key, engine)
    return _TAKE_BACK, (
        claim.seen.state,
        claim.seen.engine,
        claim.seen.error,
        reservation.requests,
        reservation.tokens,
        reservation.cost,
        claim.key,
        engine,
    )


def call_ended(ended: Ended, today: str, engine: int) -> Statement:
    """A call has its reply, or failed for good."""
    answer, reservation = ended.answer or NO_ANSWER, ended.reservation or NOTHING_RESERVED
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
        today,
        ended.error,
        answer.raw,
        answer.cached_tokens,
        ended.estimated,
        answer.reasoning,
        calls_text(answer.tool_calls),
        ended.key,
        engine,
    )
