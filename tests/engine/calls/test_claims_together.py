"""Attempts that leave in one turn of the event loop: committed together, told one by one."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from sftrecipe.calls.ledger.accounts import Beyond, Reservation, Wall
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.ledger.entries import Claim, Ended, TakenElsewhere
from sftrecipe.recipe.recipe import Budget

ONE = Reservation(requests=1, tokens=10)


def _claim(key: str, ledger: Ledger | None = None) -> Claim:
    return Claim(key, "p", "m", "chat", "step", "{}", ledger.find(key) if ledger else None)


def _rows(path: Path) -> dict[str, tuple[str, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT key, state, engine, attempts FROM calls").fetchall()
    return {key: tuple(rest) for key, *rest in rows}


async def test_each_is_told_its_own_refusal_and_the_others_leave(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    other, ledger = Ledger(path, "r"), Ledger(path, "r")
    await other.claim(_claim("b"), ONE)
    walls = [Wall(Budget(max_calls=3))]
    leaving = [ledger.claim(_claim(key), ONE, walls) for key in "abcd"]
    assert not _rows(path).keys() - {"b"}, "nothing leaves before its claim is committed"
    told = await asyncio.gather(*leaving, return_exceptions=True)
    assert [type(each) for each in told] == [type(None), TakenElsewhere, type(None), Beyond]
    assert _rows(path) == {
        "b": ("asking", other.engine, 1),
        "a": ("asking", ledger.engine, 1),
        "c": ("asking", ledger.engine, 1),
    }
    assert ledger.spent()["step"].requests == 3
    ledger.close()
    other.close()


async def test_what_ended_in_the_same_turn_makes_room(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger, walls = Ledger(path, "r"), [Wall(Budget(max_tokens=15))]
    await ledger.claim(_claim("a"), ONE, walls)
    leaves = ledger.claim(_claim("b"), ONE, walls)
    ended = ledger.end(Ended("a", "step", "failed", 0.1, ONE))
    await asyncio.gather(leaves, ended)
    assert {key: state for key, (state, *_) in _rows(path).items()} == {
        "a": "failed",
        "b": "asking",
    }
    ledger.close()


async def test_whoever_gives_up_before_the_commit_does_not_leave(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path, "r")
    gone, stays = ledger.claim(_claim("a"), ONE), ledger.claim(_claim("b"), ONE)
    gone.cancel()
    await stays
    assert _rows(path).keys() == {"b"}
    assert ledger.spent()["step"].requests == 1
    ledger.close()


async def test_what_did_not_leave_after_all_is_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path, "r")
    await ledger.claim(_claim("failed"), ONE)
    await ledger.end(Ended("failed", "step", "failed", 0.1, ONE, error="oops"))
    before, spent = ledger.find("failed"), ledger.spent()
    claims = [_claim("failed", ledger), _claim("new", ledger)]
    await asyncio.gather(*(ledger.claim(claim, ONE) for claim in claims))
    assert _rows(path)["failed"] == ("asking", ledger.engine, 2)
    for claim in claims:
        ledger.take_back(claim, ONE, again=False)
    ledger.close()
    ledger = Ledger(path, "r")
    assert ledger.find("failed") == before
    assert ledger.find("new") is None
    assert ledger.spent() == spent
    assert _rows(path)["failed"][2] == 1
    ledger.close()
