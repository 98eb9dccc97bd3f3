"""The mix: shares that were asked for, and shares that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sftrecipe.report.run_page.facts.opened_run import OpenedRun


@dataclass(frozen=True)
class MixedStream:
    """One stream's part of the mix."""

    name: str
    asked_share: float
    share: float
    asked_rows: int
    rows: int
    available: int
    repeated: int


def mixture(opened: OpenedRun) -> list[MixedStream]:
    """The streams of the mix; empty where there is none, or its mixer notes no streams."""
    streams: dict[str, Any] = {}
    for step in opened.steps:
        if step["section"] == "mix" and isinstance(step["notes"].get("streams"), dict):
            streams = step["notes"]["streams"]
    return [
        MixedStream(
            name,
            each.get("asked_share", 0.0),
            each.get("share", 0.0),
            each.get("asked_rows", 0),
            each.get("rows", 0),
            each.get("available", 0),
            each.get("repeated", 0),
        )
        for name, each in streams.items()
    ]
