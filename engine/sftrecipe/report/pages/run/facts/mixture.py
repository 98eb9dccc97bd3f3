"""The mix: shares that were asked for, shares that came of it, and what of it was exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.report.pages.run.facts.opened_run import OpenedRun


@dataclass(frozen=True)
class ExportedPart:
    """What an export holds of a stream."""

    export: str
    rows: int
    share: float


@dataclass(frozen=True)
class MixedStream:
    """One stream's part of the mix; its shares are of tokens where the mix goes by them."""

    name: str
    asked_share: float
    share: float
    asked_rows: int
    rows: int
    available: int
    repeated: int
    asked_tokens: int | None = None
    tokens: int | None = None
    estimated: bool = False
    """Whether the tokens are estimated from the texts."""
    exported: list[ExportedPart] = field(default_factory=list)


def mixture(opened: OpenedRun) -> list[MixedStream]:
    """The streams of the mix; empty where there is none, or its mixer notes no streams."""
    notes: Mapping[str, Any] = {}
    for step in opened.steps:
        if step.facts.mix and isinstance(step.facts.mix.notes.get("streams"), dict):
            notes = step.facts.mix.notes
    estimated = bool(notes.get("tokens_estimated"))
    return [
        MixedStream(
            name,
            each.get("asked_share", 0.0),
            each.get("token_share", each.get("share", 0.0)),
            each.get("asked_rows", 0),
            each.get("rows", 0),
            each.get("available", 0),
            each.get("repeated", 0),
            each.get("asked_tokens"),
            each.get("tokens"),
            estimated,
            _exported(opened, name),
        )
        for name, each in notes.get("streams", {}).items()
    ]


def _exported(opened: OpenedRun, stream: str) -> list[ExportedPart]:
    """What every export that follows the mix holds of the stream."""
    return [
        ExportedPart(step.id, found.rows, found.share)
        for step in opened.steps
        if step.facts.export and (found := step.facts.export.shares.get(stream))
    ]
