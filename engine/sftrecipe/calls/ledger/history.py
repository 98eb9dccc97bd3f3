"""What the ledger holds already, read without writing: replies, and how long calls were."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sftrecipe.calls.ledger.accounts import SPENT, account_of
from sftrecipe.calls.ledger.call_ledger import FIND
from sftrecipe.calls.ledger.entries import Entry
from sftrecipe.calls.ledger.totals import reading
from sftrecipe.calls.replies.whole_replies import whole_reply
from sftrecipe.plugin.provider import Request

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
