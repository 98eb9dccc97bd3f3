"""Gates that so few rows can never pass, whatever the judge finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sftrecipe.errors import Problem
from sftrecipe.plugin.judge import ROWS_JUDGED, Judge
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.checks.gates import (
    gates_of,
    holds_interval,
    judges_held_out,
    most_held_out,
)
from sftrecipe.recipe.reader.node import Node, place_of
from sftrecipe.recipe.recipe import Gate

_MOST = 1 << 20
"""A gate that takes more rows is not one that rows are short for."""
RowsOf = Callable[[str], int | None]
"""The most rows of a stream; None: not known, or many."""


def gate_rows_problems(
    root: Node, drafts: Sequence[BlockDraft], rows_of: RowsOf
) -> Iterator[Problem]:
    """Warnings of gates out of reach for as many rows as can be judged, with how many they take."""
    for draft in of_section(drafts, "evaluate"):
        judge, gates = draft.plugin, gates_of(draft)
        most = _most_rows(draft, drafts, rows_of) if gates else None
        if not isinstance(judge, Judge) or not most:
            continue
        try:
            found = [
                (name, *told)
                for name, gate in gates.items()
                if not (name == ROWS_JUDGED and judges_held_out(draft))  # an error of its own
                for told in _out_of_reach(judge, name, gate, most)
            ]
        except Exception as error:
            yield crash_problem(draft, root, error)
            continue
        for name, written, reached, needed in found:
            place = place_of(root, (*draft.path, "gate", name), key=True)
            values = {"metric": name, "written": written, "reached": f"{reached:.3g}"}
            values |= {"most": str(most), "needed": str(needed)}
            yield Problem("gate-few-rows", place, values, "gate-more-rows", severity="warning")


def _out_of_reach(
    judge: Judge, name: str, gate: Gate, most: int
) -> Iterator[tuple[str, float, int]]:
    """The bound as it is written, how far the rows reach, and how many it takes."""
    names = judge.metrics() or frozenset()
    if name not in _reachable(judge, most) or (
        f"{name}_low" in names and not holds_interval(judge, name, gate)
    ):
        return
    for key, bound, end in (("at_least", gate.at_least, 0), ("at_most", gate.at_most, 1)):
        if bound is None:
            continue

        def keeps(rows: int, bound: float = bound, end: int = end) -> bool:
            reached = _reachable(judge, rows)[name][end]
            return reached <= bound if end else reached >= bound

        if not keeps(most) and (needed := _first(keeps, most)):
            yield f"{key}: {bound:g}", _reachable(judge, most)[name][end], needed


def _reachable(judge: Judge, rows: int) -> Mapping[str, tuple[float, float]]:
    return {**judge.reachable(rows), ROWS_JUDGED: (float(rows), 0.0)}


def _first(keeps: Callable[[int], bool], short: int) -> int | None:
    """The fewest rows that keep the bound, more than are too few; None where it takes too many."""
    enough = short
    while not keeps(enough):
        short, enough = enough, 2 * enough
        if enough > _MOST:
            return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if keeps(middle) else (middle, enough)
    return enough


def _most_rows(draft: BlockDraft, drafts: Sequence[BlockDraft], rows_of: RowsOf) -> int | None:
    if judges_held_out(draft):
        return most_held_out(drafts)
    streams = [rows_of(name) for name, _ in draft.streams() or ()]
    known = [rows for rows in streams if rows is not None]
    return sum(known) if streams and len(known) == len(streams) else None
