"""A row that a filter kept, as whoever comes after it reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record


def judged_row(row: Record, step: str, verdict: Verdict) -> Record:
    """The row with what the verdict of a step wrote on it; the same as `Stream` reads it back."""
    if verdict.value is None and not (
        verdict.scores or verdict.changes or verdict.calls or verdict.tags
    ):
        return row
    scores, value = dict(row.scores), verdict.value
    if value is not None:
        scores[step] = float(value)
    scores.update(_written(verdict.scores))
    return row._replace(
        columns={**row.columns, **_written(verdict.changes)},
        scores=scores,
        calls=(*row.calls, *verdict.calls),
        tags={**row.tags, **_written(verdict.tags)},
    )


def _written(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values as JSON brings them back."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(values)) if values else {}
    return found
