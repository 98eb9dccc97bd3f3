"""What a recipe has spent and set aside, in the ledger: one account for all engines and folders.

Every engine books into rows of its own. What it had set aside when it died counts as spent, since
nobody can tell any more what came of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import NamedTuple

import orjson

from sftrecipe.recipe.recipe import Budget

TABLE = """
CREATE TABLE accounts (
  name TEXT NOT NULL,
  step TEXT NOT NULL,
  engine INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  cost REAL NOT NULL,
  flying INTEGER NOT NULL,
  held_tokens INTEGER NOT NULL,
  held_cost REAL NOT NULL,
  held_written INTEGER NOT NULL,
  spare_tokens INTEGER NOT NULL,
  spare_cost REAL NOT NULL,
  lost INTEGER NOT NULL,
  lost_written INTEGER NOT NULL,
  PRIMARY KEY (name, step, engine)
) WITHOUT ROWID;
"""
NOBODY = 0
"""The engine under which stands what engines that are gone have spent."""
_PREVIEW = "preview "
_SUMS = ("requests", "tokens", "cost", "lost", "lost_written")
_RESERVED = ("held_tokens", "held_cost", "held_written", "spare_tokens", "spare_cost")
_ADDED = ", ".join(
    [
        *(f"{name} = {name} + excluded.{name}" for name in (*_SUMS, "flying")),
        # Exactly nothing once nothing is in flight: sums of fractions would leave a trace.
        *(
            f"{name} = CASE WHEN flying + excluded.flying = 0 THEN 0 "
            f"ELSE {name} + excluded.{name} END"
            for name in _RESERVED
        ),
    ]
)
_COLUMNS = """requests, tokens, cost, flying, held_tokens, held_cost, held_written, spare_tokens,
spare_cost, lost, lost_written"""
_BOOK = f"""INSERT INTO accounts (name, step, engine, {_COLUMNS})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name, step, engine) DO UPDATE SET {_ADDED}"""  # noqa: S608 - names of columns
_FOLD = f"""INSERT INTO accounts (name, step, engine, {_COLUMNS})
SELECT name, step, {NOBODY}, requests, tokens + held_tokens, cost + held_cost, 0, 0, 0, 0, 0, 0,
lost + flying, lost_written + held_written FROM accounts WHERE engine = ?
ON CONFLICT (name, step, engine) DO UPDATE SET {_ADDED}"""  # noqa: S608
_STATE = """SELECT coalesce(sum(requests), 0), coalesce(sum(tokens + held_tokens), 0),
coalesce(sum(cost + held_cost), 0.0), coalesce(sum(spare_tokens), 0),
coalesce(sum(spare_cost), 0.0) FROM accounts WHERE name = ?"""
_LOST = """SELECT coalesce(sum(lost), 0), coalesce(sum(lost_written), 0)
FROM accounts WHERE name = ? AND step = ?"""
SPENT = """SELECT step, sum(requests), sum(tokens + held_tokens), sum(cost + held_cost)
FROM accounts WHERE name = ? GROUP BY step"""
_FLYING = """SELECT DISTINCT engine, token FROM accounts JOIN engines ON id = engine
WHERE name = ? AND flying > 0 AND engine <> ?"""
_CALLS = """SELECT run, step, sum(attempts),
sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + lost_tokens),
sum(coalesce(cost, 0.0) + lost_cost) FROM calls GROUP BY run, step"""


@dataclass(slots=True)
class Spent:
    """Requests, tokens and money."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


class Reservation(NamedTuple):
    """What is set aside for one attempt."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    written: int = 0
    """Output tokens, among `tokens`."""
    spare_tokens: int = 0
    """What it may take beyond that, where the reply's length is not sure."""
    spare_cost: float = 0.0
    token_cost: float = 0.0
    """What one output token costs."""
    lost_written: int = 0
    """Output tokens that a lost reply of this kind may have had."""


class Change(NamedTuple):
    """What is added to an engine's row of an account."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    flying: int = 0
    held_tokens: int = 0
    held_cost: float = 0.0
    held_written: int = 0
    spare_tokens: int = 0
    spare_cost: float = 0.0
    lost: int = 0
    lost_written: int = 0

    def and_also(self, other: Change) -> Change:
        """Both together."""
        return Change._make(map(add, self, other))


def set_aside(reservation: Reservation) -> Change:
    """An attempt leaves: its request is spent, the rest may come back."""
    return Change(
        requests=reservation.requests,
        flying=1,
        held_tokens=reservation.tokens,
        held_cost=reservation.cost,
        held_written=reservation.written,
        spare_tokens=reservation.spare_tokens,
        spare_cost=reservation.spare_cost,
    )


def settled(reservation: Reservation, spent: Spent, *, lost: bool = False) -> Change:
    """An attempt has come to an end: what was set aside is replaced by what is spent."""
    return Change(
        spent.requests - reservation.requests,
        spent.tokens,
        spent.cost,
        -1,
        -reservation.tokens,
        -reservation.cost,
        -reservation.written,
        -reservation.spare_tokens,
        -reservation.spare_cost,
        int(lost),
        reservation.written if lost else 0,
    )


class Beyond(Exception):
    """A budget does not reach for an attempt, as things stand."""

    def __init__(self, wall: Wall, limit: str, doubt: int = 0) -> None:
        super().__init__(limit)
        self.wall = wall
        self.limit = limit
        self.doubt = doubt
        """Tokens that lost replies may have taken beyond what is booked for them."""


_EXACT = 1 + 1e-9
"""Twenty times 0.05 is a little more than 1, as computers reckon."""


@dataclass(frozen=True)
class Wall:
    """The budget of a recipe, or of one of its steps."""

    budget: Budget
    step: str | None = None

    def check(self, cursor: sqlite3.Cursor, name: str, step: str, reservation: Reservation) -> None:
        """Raises Beyond where so much is not there.

        Of what is in flight, each reply may be as long as any can be: only the one that leaves now
        may pass the wall, by what its reply exceeds its reservation. Lost replies are taken to have
        been as long as they may have been by all that is known now.
        """
        budget, own = self.budget, self.step
        found = (
            cursor.execute(_STATE, (name,))
            if own is None
            else cursor.execute(f"{_STATE} AND step = ?", (name, own))
        )
        requests, tokens, cost, spare_tokens, spare_cost = found.fetchone()
        lost, lost_written = cursor.execute(_LOST, (name, step)).fetchone()
        doubt = max(0, lost * reservation.lost_written - lost_written)
        if budget.max_calls is not None and requests + reservation.requests > budget.max_calls:
            raise Beyond(self, "max_calls")
        if (
            budget.max_tokens is not None
            and tokens + spare_tokens + doubt + reservation.tokens > budget.max_tokens
        ):
            raise Beyond(self, "max_tokens", doubt)
        if (
            budget.max_cost is not None
            and reservation.cost > 0
            and cost + spare_cost + doubt * reservation.token_cost + reservation.cost
            > budget.max_cost * _EXACT
        ):
            raise Beyond(self, "max_cost", doubt)


class Account:
    """An engine's hand on a recipe's account, within the ledger's transactions."""

    def __init__(
        self, connection: sqlite3.Connection, cursor: sqlite3.Cursor, name: str, engine: int
    ) -> None:
        self.name = name
        self._connection = connection
        self._cursor = cursor
        self._engine = engine
        self._changes: dict[tuple[str, str], Change] = {}

    def add(self, step: str, change: Change, name: str | None = None) -> None:
        """Add to what is booked at the transaction's end; `name`: of another recipe's account."""
        place = (name or self.name, step)
        known = self._changes.get(place)
        self._changes[place] = change if known is None else known.and_also(change)

    def check(self, walls: Sequence[Wall], step: str, reservation: Reservation) -> None:
        """Raises Beyond where a budget does not reach for a reservation."""
        if walls:
            self.book()
        for wall in walls:
            wall.check(self._cursor, self.name, step, reservation)

    def book(self) -> None:
        """Write the changes."""
        for (name, step), change in self._changes.items():
            _book(self._cursor, name, self._engine, step, change)
        self._changes.clear()

    def roll_back(self) -> None:
        """Forget the changes: the transaction came to nothing."""
        self._changes.clear()

    def spent(self) -> dict[str, Spent]:
        """What the steps have spent and set aside, over all the engines of the account."""
        rows = self._connection.execute(SPENT, (self.name,)).fetchall()
        return {step: Spent(*spent) for step, *spent in rows}

    def in_flight_elsewhere(self, step: str | None) -> list[tuple[int, str]]:
        """Other engines, with their tokens, that have calls (of a step) in flight."""
        found = (self.name, self._engine)
        if step is None:
            return self._connection.execute(_FLYING, found).fetchall()
        return self._connection.execute(f"{_FLYING} AND step = ?", (*found, step)).fetchall()


def _book(cursor: sqlite3.Cursor, name: str, engine: int, step: str, change: Change) -> None:
    cursor.execute(_BOOK, (name, step, engine, *change))


def gone(connection: sqlite3.Connection, lives: Callable[[str], bool]) -> list[int]:
    """The engines that have rows in any account, but do not live any more, by their tokens."""
    query = "SELECT DISTINCT engine FROM accounts WHERE engine <> ?"
    booking = [engine for (engine,) in connection.execute(query, (NOBODY,))]
    if not booking:
        return []
    tokens = dict(connection.execute("SELECT id, token FROM engines WHERE closed IS NULL"))
    return [each for each in booking if each not in tokens or not lives(tokens[each])]


def fold(connection: sqlite3.Connection, engines: Iterable[int]) -> None:
    """Have all that engines spent and set aside stand as spent: they are gone."""
    for engine in engines:
        connection.execute(_FOLD, (engine,))
        connection.execute("DELETE FROM accounts WHERE engine = ?", (engine,))


def fill(connection: sqlite3.Connection) -> None:
    """Make the accounts from the calls of a ledger that had none."""
    for run, step, requests, tokens, cost in connection.execute(_CALLS).fetchall():
        change = Change(requests or 0, tokens or 0, cost or 0.0)
        _book(connection.cursor(), account_of(run), NOBODY, step, change)


def account_of(run: str) -> str:
    """The recipe's name behind the name of a run: earlier engines took the output folder's path."""
    if run.startswith(_PREVIEW):
        return run.removeprefix(_PREVIEW)
    if "/" not in run:
        return run
    folder = Path(run)
    if folder.name == "sweep":
        folder = folder.parent
    try:
        name = orjson.loads((folder / "run.json").read_bytes())["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name
    return name if isinstance(name, str) else folder.name
