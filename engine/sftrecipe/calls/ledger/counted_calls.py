"""Reading a ledger that others may be writing: totals, single calls, replies that are there."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sftrecipe.calls.ledger.accounts import SPENT, account_of
from sftrecipe.calls.ledger.connection import connect
from sftrecipe.calls.ledger.database import (
    check_kind,
    damaged,
    explained,
    fault_found,
    unclosed,
    upgrade,
)
from sftrecipe.calls.ledger.entries import FIND, Entry, numbers
from sftrecipe.calls.replies.whole_replies import whole_reply
from sftrecipe.plugin.provider import Request
from sftrecipe.record import ToolCall


class Total(NamedTuple):
    """What one model was asked on one day for one run."""

    day: str
    provider: str
    model: str
    run: str
    calls: int
    """Calls that were answered."""
    failed: int
    refused: int
    in_flight: int
    """Calls that an engine which lives is waiting for."""
    unanswered: int
    """Calls that were asked and have no reply, and whose engine is gone."""
    requests: int
    input_tokens: int
    output_tokens: int
    estimated: int
    """Calls whose tokens were not told, but are counted from the texts."""
    cached_tokens: int
    """Of the input's, those that the server had in its cache."""
    cost: float
    currency: str | None
    lost_tokens: int
    """Of attempts without a reply, which may have been billed all the same; an estimate."""
    lost_cost: float
    steps: tuple[str, ...] = ()
    """The steps that asked."""


class LedgerCall(NamedTuple):
    """One call as the ledger keeps it."""

    key: str
    state: str
    """`done`, `asking` (in flight, or its engine is gone), `failed` or `refused`."""
    provider: str
    model: str
    kind: str
    run: str
    step: str
    asked: float
    """When it was first or last asked, in seconds since 1970."""
    attempts: int
    latency: float | None
    prompt: str
    """What was asked, as text: the prompt, or the chat turns with their roles."""
    sampling: dict[str, Any]
    reply: str
    finish_reason: str
    input_tokens: int
    output_tokens: int
    cost: float | None
    currency: str | None
    priced: str | None
    """The day whose price it is."""
    error: str | None
    request: str
    """The request as JSON."""
    raw: str
    """The reply's body as it came."""
    cached_tokens: int
    estimated: bool
    """Whether the tokens were not told, but are counted from the texts."""
    reasoning: str = ""
    """The thought before the reply."""
    tool_calls: tuple[ToolCall, ...] = ()


_TOTALS = """SELECT date(asked, 'unixepoch', 'localtime') AS day, provider, model, run,
sum(state = 'done'), sum(state = 'failed'), sum(state = 'refused'),
sum(state = 'asking' AND engine IN {living}), sum(state = 'asking' AND engine NOT IN {living}),
sum(attempts), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), sum(estimated),
sum(cached_tokens), coalesce(sum(cost), 0.0), max(currency),
sum(CASE WHEN state = 'asking' AND engine IN {living} THEN 0 ELSE lost_tokens END),
sum(CASE WHEN state = 'asking' AND engine IN {living} THEN 0.0 ELSE lost_cost END),
json_group_array(DISTINCT step)
FROM calls GROUP BY day, provider, model, run, currency ORDER BY day, provider, model, run"""
_CALL = """SELECT key, state, provider, model, kind, run, step, asked, attempts, latency, reply,
finish, input_tokens, output_tokens, cost, currency, priced, error, request, raw, cached_tokens,
estimated, reasoning, tool_calls FROM calls WHERE """


def totals(path: Path) -> list[Total]:
    """Calls, tokens and cost by day, provider, model and run; empty without a ledger."""
    with reading(path) as connection:
        if connection is None:
            return []
        query = _TOTALS.format(living=_living(connection, path))
        rows = connection.execute(query)
        return [Total._make((*row, tuple(sorted(orjson.loads(steps))))) for *row, steps in rows]


def _living(connection: sqlite3.Connection, path: Path) -> str:
    """The engines that are at work, as a list of SQL."""
    found = connection.execute("SELECT id FROM engines WHERE closed IS NULL").fetchall()
    dead = unclosed(connection, path) if found else []
    return f"({', '.join(str(engine) for (engine,) in found if engine not in dead)})"


def read_call(path: Path, key: str) -> LedgerCall | None:
    """The call of a key, or of the beginning of one that no other key has."""
    with reading(path) as connection:
        if connection is None:
            return None
        query, last = f"{_CALL} key >= ? AND key < ? LIMIT 2", key + "g"
        rows = connection.execute(query, (key, last)).fetchall()
        return _call(rows[0]) if len(rows) == 1 else None


def read_calls(path: Path, keys: Collection[str]) -> dict[str, LedgerCall]:
    """The calls of whole keys, by key; those that the ledger does not know are left out."""
    with reading(path) as connection:
        if connection is None:
            return {}
        rows = _chosen(connection, _CALL, keys)
        return {row[0]: _call(row) for row in rows}


_TOLD = """SELECT DISTINCT json_extract(body, '$.model'), json_extract(body, '$.system_fingerprint')
FROM (SELECT CASE WHEN raw LIKE '{%' AND json_valid(raw) THEN raw END AS body
FROM calls WHERE rowid > (SELECT max(rowid) FROM calls) - 100000
AND state = 'done' AND provider = ? AND model = ? AND run IN (?, ?)
ORDER BY rowid DESC LIMIT 10000)"""


def told_by_replies(path: Path, run: str, use: str, model: str) -> dict[str, list[str]] | None:
    """What the latest replies to a recipe say of the model: `model` and `system_fingerprint`, each
    in order; None where the ledger has no such reply."""
    with reading(path) as connection:
        if connection is None:
            return None
        rows = connection.execute(_TOLD, (use, model, run, f"preview {run}")).fetchall()
    if not rows:
        return None
    names, fingerprints = zip(*rows, strict=True)
    told = {"model": names, "system_fingerprint": fingerprints}
    nothing = (None, "", "-")
    return {
        part: sorted({str(each) for each in found if each not in nothing})
        for part, found in told.items()
    }


def read_vectors(path: Path, keys: Collection[str]) -> dict[str, tuple[float, ...]]:
    """The embeddings that calls brought, by key."""
    with reading(path) as connection:
        if connection is None:
            return {}
        query = "SELECT key, vector FROM calls WHERE vector IS NOT NULL AND "
        return {key: numbers(vector) for key, vector in _chosen(connection, query, keys)}


def _chosen(connection: sqlite3.Connection, query: str, keys: Collection[str]) -> Iterator[Any]:
    """The rows of a query that have one of the keys, some hundred keys a time."""
    left = iter(keys)
    while some := list(islice(left, 500)):
        marks = ",".join("?" * len(some))
        yield from connection.execute(f"{query} key IN ({marks})", some)


def in_flight(path: Path) -> list[LedgerCall]:
    """Calls that were asked and have no reply yet."""
    with reading(path) as connection:
        if connection is None:
            return []
        rows = connection.execute(f"{_CALL} state = 'asking' ORDER BY asked")
        return [_call(row) for row in rows]


def verify(path: Path) -> int | None:
    """Read the whole ledger through; how many calls it holds, None where there is no ledger.

    Raises SftrecipeError when it is not sound.
    """
    with reading(path) as connection:
        if connection is None:
            return None
        if fault := fault_found(connection):
            raise damaged(path, fault)
        count = 0
        for key, request, state, reply in connection.execute(
            "SELECT key, request, state, reply FROM calls"
        ):
            count += 1
            try:
                orjson.loads(request)
            except orjson.JSONDecodeError as error:
                raise damaged(path, f"the request of call {key} cannot be read") from error
            if state == "done" and reply is None:
                raise damaged(path, f"call {key} is done but has no reply")
        return count


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to a ledger that is only read; None where there is no ledger."""
    if not path.exists():
        yield None
        return
    with explained(path), closing(connect(path)) as connection:
        check_kind(connection, path)
        upgrade(connection)
        yield connection


def _call(row: tuple[Any, ...]) -> LedgerCall:
    key, state, provider, model, kind, run, step, asked, attempts, latency, *rest = row
    reply, finish, read, written, cost, currency, priced, error, request, raw, cached, *rest = rest
    estimated, reasoning, tool_calls = rest
    parts = orjson.loads(request)
    answer = Entry(
        *(state, 0, reply or "", finish or "", read or 0, written or 0, None, None, error),
        *(kind, reasoning, tool_calls, raw),
    ).answer()
    return LedgerCall(
        key=key,
        state=state,
        provider=provider,
        model=model,
        kind=kind,
        run=run,
        step=step,
        asked=asked,
        attempts=attempts,
        latency=latency,
        prompt=_prompt(parts),
        sampling=parts.get("sampling", {}),
        reply=answer.text,
        finish_reason=answer.finish_reason,
        input_tokens=read or 0,
        output_tokens=written or 0,
        cost=cost,
        currency=currency,
        priced=priced,
        error=error,
        request=request,
        raw=raw or "",
        cached_tokens=cached,
        estimated=bool(estimated),
        reasoning=answer.reasoning,
        tool_calls=answer.tool_calls,
    )


def _prompt(parts: dict[str, Any]) -> str:
    if "messages" not in parts:
        return str(parts.get("prompt", "")) + str(parts.get("answer", ""))
    turns = parts["messages"]
    return "\n".join(f"{turn.get('role')}: {_said(turn)}" for turn in turns)


def _said(turn: dict[str, Any]) -> str:
    calls = turn.get("tool_calls")
    said = str(turn.get("content") or "")
    return f"{said} {orjson.dumps(calls).decode()}".strip() if calls else said


_RECENT = 200
_LOOKED_AT = 5000
"""Calls that are looked at for a model's own: a ledger of millions is not read through."""


class EarlierCall(NamedTuple):
    """An answered call of a model."""

    account: str
    """The recipe's name."""
    step: str
    text: str
    turns: int
    input_tokens: int
    output_tokens: int


class History:
    """A ledger's answered calls; empty where there is no ledger."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection

    def find(self, key: str) -> Entry | None:
        """What is known of a call."""
        if self._connection is None:
            return None
        row = self._connection.execute(FIND, (key,)).fetchone()
        return Entry(*row) if row else None

    def whole_reply(self, mark: bytes, provider: bytes, request: Request) -> str | None:
        """The key of a reply that is what the request's would be, under another `max_tokens`."""
        found = self._connection
        return None if found is None else whole_reply(found, mark, provider, request)

    def recent(self, model: str) -> list[EarlierCall]:
        """A model's latest calls, of the ledger's latest few thousand."""
        if self._connection is None:
            return []
        query = """SELECT run, step, request, input_tokens, output_tokens FROM calls
        WHERE rowid > (SELECT max(rowid) FROM calls) - ? AND model = ? AND state = 'done'
        ORDER BY rowid DESC LIMIT ?"""
        rows = self._connection.execute(query, (_LOOKED_AT, model, _RECENT))
        named = cache(account_of)
        return [
            EarlierCall(
                named(run), step, *asked_text(orjson.loads(request)), read or 0, written or 0
            )
            for run, step, request, read, written in rows
        ]

    def spent(self, name: str) -> dict[str, tuple[int, int, float]]:
        """Requests, tokens and cost of a recipe's steps so far."""
        if self._connection is None:
            return {}
        rows = self._connection.execute(SPENT, (name,))
        return {step: (requests, tokens, cost) for step, requests, tokens, cost in rows}


@contextmanager
def open_history(path: Path) -> Iterator[History]:
    """The calls of a ledger. Raises SftrecipeError for a file that is no ledger."""
    with reading(path) as connection:
        yield History(connection)


def asked_text(request: Mapping[str, Any]) -> tuple[str, int]:
    """The text of a request's parts, and its chat turns."""
    turns = request.get("messages") or ()
    if not turns:
        return str(request.get("prompt", "")), 0
    return "\n".join(str(turn.get("content") or "") for turn in turns), len(turns)
