"""Sample rows, each with the rows and calls that it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.calls.ledger.counted_calls import LedgerCall, read_calls
from sftrecipe.recipe.language.sections import OWN, SECTIONS
from sftrecipe.record import CHAT_COLUMNS, Record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.run.steps.step_files import REJECTS, ROWS
from sftrecipe.store.rows import rows_named
from sftrecipe.store.sample_places import evenly
from sftrecipe.turns.shown_turns import shown_turns, turn_parts

_ROWS = 12
_DEEP = 6
_PARENTS = 4
_MOST = 24
"""Rows that one lineage tells."""
_CALLS = 6
_COLUMNS = 16
_TEXT = 1500
_PROMPT = 3000


@dataclass(frozen=True)
class AskedCall:
    """A call that a row rests on, shortened."""

    key: str
    step: str
    provider: str
    model: str
    state: str
    prompt: str
    reply: str
    input_tokens: int
    output_tokens: int
    error: str


@dataclass(frozen=True)
class Lineage:
    """A row, how it came to be, and what it was made from."""

    id: str
    stream: str
    origin: str
    columns: list[tuple[str, str]]
    """Chat turns by role, or the columns."""
    scores: dict[str, Any]
    tags: dict[str, Any]
    calls: list[AskedCall]
    other_parents: int
    """Parents beside those that are told here."""
    parents: list[Lineage] = field(default_factory=list)


def lineages(opened: OpenedRun) -> list[Lineage]:
    """Rows from all over the result, each told back to its seeds."""
    return told_rows(opened, [opened.sample[place] for place in evenly(len(opened.sample), _ROWS)])


def told_rows(opened: OpenedRun, rows: Sequence[Record]) -> list[Lineage]:
    """Rows, each told back to its seeds."""
    known = _ancestors(opened, rows)
    keys = {key for row in (*rows, *known.values()) for key in row.calls[:_CALLS]}
    found = read_calls(opened.ledger, keys) if keys else {}
    calls: Mapping[str, LedgerCall] = {key: opened.scrub(call) for key, call in found.items()}
    teller = _Teller(known, calls)
    return [teller.told(row, set()) for row in rows]


def _ancestors(opened: OpenedRun, rows: Sequence[Record]) -> dict[str, Record]:
    """The rows that the rows were made from, and so on, by id."""
    known: dict[str, Record] = {}
    wanted = _parents(rows)
    for _ in range(_DEEP):
        wanted -= set(known)
        if not wanted:
            break
        found = {row.id: row for row in _named(opened, wanted)}
        known |= found
        wanted = _parents(found.values())
    return known


def _parents(rows: Iterable[Record]) -> set[str]:
    return {parent for row in rows for parent in row.parents[:_PARENTS]}


def _named(opened: OpenedRun, names: set[str]) -> Iterable[Record]:
    """The rows of some ids, wherever they were made or rejected."""
    for step in opened.steps:
        if step.section not in SECTIONS or SECTIONS[step.section].makes != OWN:
            continue
        for file in (ROWS, REJECTS):
            path = opened.folder(step) / file
            if path.exists():
                yield from opened.scrub(rows_named(path, sorted(names)))


class _Teller:
    """Tells rows with what they were made from; no row twice below one of them."""

    def __init__(self, known: Mapping[str, Record], calls: Mapping[str, LedgerCall]) -> None:
        self._known = known
        self._calls = calls

    def told(self, row: Record, seen: set[str], depth: int = 0) -> Lineage:
        """The row and its parents; `seen` are the rows told already."""
        seen.add(row.id)
        shown = [name for name in row.parents[:_PARENTS] if name in self._known]
        parents = []
        for name in dict.fromkeys(shown):
            if name not in seen and depth < _DEEP and len(seen) < _MOST:
                parents.append(self.told(self._known[name], seen, depth + 1))
        return Lineage(
            row.id,
            row.stream,
            row.origin,
            _columns(row),
            dict(row.scores),
            dict(row.tags),
            [_call(self._calls[key]) for key in row.calls[:_CALLS] if key in self._calls],
            len(row.parents) - len(parents),
            parents,
        )


def _columns(row: Record) -> list[tuple[str, str]]:
    turns = shown_turns(row.columns)
    if turns:
        found = [part for turn in turns for part in turn_parts(turn)]
        found += [(name, row.text(name)) for name in row.columns if name not in CHAT_COLUMNS]
    else:
        found = [(name, cell_text(value)) for name, value in row.columns.items()]
    return [(name, shortened(text, _TEXT)) for name, text in found if text][:_COLUMNS]


def _call(call: LedgerCall) -> AskedCall:
    return AskedCall(
        call.key,
        call.step,
        call.provider,
        call.model,
        call.state,
        shortened(call.prompt, _PROMPT),
        shortened(call.reply, _PROMPT),
        call.input_tokens,
        call.output_tokens,
        call.error or "",
    )
