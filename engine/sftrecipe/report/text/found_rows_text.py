"""Rows that hold what was looked for: a table, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from sftrecipe.messages import message, word
from sftrecipe.report.text.table import table
from sftrecipe.run.row_search import MATCHES, FoundRow

_HEAD = ("row-id", "step", "row-place", "row-text")


def found_rows_text(found: Sequence[FoundRow], asked: str) -> str:
    """A line a row, with its id, and how one is explained."""
    shown = found[:MATCHES]
    cells = [[each.id, each.step, each.place, each.text] for each in shown]
    slug = "found-rows" if len(found) < MATCHES else "found-rows-more"
    told = message(slug, {"count": len(shown), "row": asked, "id": shown[0].id})
    return f"{table([word(name) for name in _HEAD], cells)}\n{told}"


def found_rows_json(found: Sequence[FoundRow]) -> str:
    """The same as JSON."""
    facts = {"found": [asdict(each) for each in found[:MATCHES]]}
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()
