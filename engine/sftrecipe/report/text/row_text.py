"""Rows as people read them."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from sftrecipe.messages import message, word
from sftrecipe.record import CHAT_COLUMNS, Record
from sftrecipe.run.row_preview import Preview
from sftrecipe.turns.shown_turns import shown_turns, turn_parts

_WIDE = 2000


def preview_text(made: Preview) -> str:
    """Every stream's rows, then what was lost and why."""
    parts: list[str] = []
    for stream, rows in made.rows.items():
        parts.append(message("preview-stream", {"stream": stream, "count": len(rows)}))
        parts += [row_text(row) for row in rows]
    if made.lost:
        parts.append(message("preview-rejected", {"count": len(made.lost)}))
        parts += [f"  {each.step}: {each.reason}  {_reject_text(each.row)}" for each in made.lost]
    return "\n".join(parts)


def preview_json(made: Preview) -> str:
    """One JSON line a row: its stream, id and columns; then the rejects."""
    lines = [
        {"stream": stream, "id": row.id, "columns": row.columns, "scores": row.scores}
        for stream, rows in made.rows.items()
        for row in rows
    ]
    lost = [each.as_json() for each in made.lost]
    return "\n".join(orjson.dumps(line, default=str).decode() for line in [*lines, *lost])


def row_text(row: Record) -> str:
    """A row's id, turns, other columns, scores and tags."""
    return "\n".join([f"[{row.id}]", *(f"  {line}" for line in _row_lines(row))])


def _row_lines(row: Record) -> Iterator[str]:
    turns = shown_turns(row.columns)
    for turn in turns:
        for name, text in turn_parts(turn):
            yield f"{name}: {text[:_WIDE]}"
    for name in row.columns:
        if not (turns and name in CHAT_COLUMNS):
            yield f"{name}: {row.text(name)[:_WIDE]}"
    if row.scores:
        told = word("comma").join(f"{name} {value:.3g}" for name, value in row.scores.items())
        yield message("row-scores", {"told": told})
    if row.tags:
        told = word("comma").join(f"{name} {value}" for name, value in row.tags.items())
        yield message("row-tags", {"told": told})


def _reject_text(row: Record) -> str:
    text = orjson.dumps(row.columns).decode()
    return text if len(text) < 160 else text[:160] + " …"
