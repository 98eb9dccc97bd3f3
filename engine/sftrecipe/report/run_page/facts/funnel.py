"""The rows of every step: what came in, what was kept, what was lost and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sftrecipe.report.run_page.facts.blocks import blocks
from sftrecipe.report.run_page.facts.opened_run import OpenedRun

_REASONS = 6
_RUN_SECTIONS = ("generate", "filter", "mix", "export")


@dataclass(frozen=True)
class StepRows:
    """One step's account."""

    id: str
    section: str
    use: str
    made: int
    kept: int
    rejected: int
    set_aside: int
    reasons: dict[str, int]
    """The most frequent ones."""
    other_reasons: int
    """Reasons beside those."""
    counts: dict[str, int]
    cached: bool
    seconds: float


def funnel(opened: OpenedRun) -> list[StepRows]:
    """Every step that was done, in order."""
    return [_rows(step) for step in opened.steps]


def not_reached(opened: OpenedRun) -> list[str]:
    """The recipe's blocks that a run which failed or paused did not come to."""
    done = {step["id"] for step in opened.steps}
    return [name for name in _block_names(opened.document) if name not in done]


def _block_names(document: Mapping[str, Any]) -> Iterator[str]:
    for section in _RUN_SECTIONS:
        yield from (name for name, _ in blocks(document, section))


def _rows(step: Mapping[str, Any]) -> StepRows:
    reasons = sorted(step["reasons"].items(), key=lambda each: -each[1])
    return StepRows(
        step["id"],
        step["section"],
        step["use"],
        step["made"],
        step["kept"],
        step["rejected"],
        step["set_aside"],
        dict(reasons[:_REASONS]),
        len(reasons[_REASONS:]),
        dict(list(step["counts"].items())[:_REASONS]),
        step["cached"],
        step["seconds"],
    )
