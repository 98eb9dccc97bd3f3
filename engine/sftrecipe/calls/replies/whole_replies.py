"""Replies that are what they would have been with another `max_tokens`.

A reply that ended by itself is not changed by more room. So where only `max_tokens` differs, whole
replies are taken, and those that were cut off are asked again. A reply is found by a hash of its
call without `max_tokens`; its key tells that all else is equal, the model's revision among it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from sftrecipe.calls.ledger.call_keys import call_key, request_json
from sftrecipe.calls.replies.reply_lengths import WRITING, limit_of
from sftrecipe.plugin.endings import ending_of
from sftrecipe.plugin.provider import Request

TABLE = """CREATE TABLE whole_replies (
  alike BLOB NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (alike, key)
) WITHOUT ROWID;
"""
KEEP = "INSERT OR IGNORE INTO whole_replies VALUES (?, ?)"
_FIND = """SELECT calls.key, request, output_tokens, estimated FROM whole_replies
JOIN calls ON calls.key = whole_replies.key WHERE alike = ? AND state = 'done'"""
_EARLIER = """SELECT key, provider, model, request, finish FROM calls
WHERE rowid > (SELECT max(rowid) FROM calls) - ? AND state = 'done' AND kind IN ('chat', 'complete')
"""
_LOOKED_AT = 100_000
"""Calls of an earlier version's ledger that are looked at: millions are not read through."""


def alike(provider: str, model: str, request: Request) -> bytes:
    """What a call shares with those that differ in `max_tokens` alone; empty: none may."""
    if request.kind not in WRITING:
        return b""
    return _hashed(provider, model, request_json(request, without_limit=True))


def whole_reply(
    connection: sqlite3.Connection, mark: bytes, provider: bytes, request: Request
) -> str | None:
    """The key of a reply that is what the request's would be; `provider`: its part of keys."""
    if not mark:
        return None
    wanted = limit_of(request.sampling)
    for key, asked, written, estimated in connection.execute(_FIND, (mark,)):
        limit = limit_of(orjson.loads(asked).get("sampling"))
        counted = 0 if estimated else written or 0
        if _fits(limit, wanted, counted) and call_key(provider, asked.encode()) == key:
            return str(key)
    return None


def is_kept(mark: bytes, finish: str) -> bool:
    """Whether a reply with this end is to be found by others."""
    return bool(mark) and ending_of(finish) == "whole"


def fill(connection: sqlite3.Connection) -> None:
    """Note the whole replies of a ledger that knows of none."""
    found = []
    for key, provider, model, request, finish in connection.execute(_EARLIER, (_LOOKED_AT,)):
        if ending_of(finish or "") == "whole":
            parts = _without_limit(orjson.loads(request))
            body = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
            found.append((_hashed(provider, model, body), key))
    connection.executemany(KEEP, found)


def _fits(limit: int | None, wanted: int | None, written: int) -> bool:
    """Whether a whole reply under one limit is what it would be under another; `written`: its
    tokens, 0 where they are not told."""
    if wanted is None or (limit is not None and limit <= wanted):
        return True
    return 0 < written <= wanted


def _without_limit(parts: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(parts)
    sampling = found.pop("sampling", {})
    rest = {name: value for name, value in sampling.items() if name != "max_tokens"}
    return {**found, "sampling": rest} if rest else found


def _hashed(provider: str, model: str, request: bytes) -> bytes:
    named = orjson.dumps([provider, model])
    return blake2b(named + b"\n" + request, digest_size=16).digest()
