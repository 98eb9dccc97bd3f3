"""The mix: shares that were asked for, shares that came of it, and what of it was exported."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    return [
        MixedStream(
            name=name,
            asked_share=each.asked_share or 0.0,
            share=each.share if each.token_share is None else each.token_share,
            asked_rows=each.asked_rows,
            rows=each.rows,
            available=each.available,
            repeated=each.repeated,
            asked_tokens=each.asked_tokens,
            tokens=each.tokens,
            estimated=step.facts.mix.tokens_estimated,
            exported=_exported(opened, name),
        )
        for step in opened.steps
        if step.facts.mix
        for name, each in step.facts.mix.streams.items()
    ]


def _exported(opened: OpenedRun, stream: str) -> list[ExportedPart]:
    """What every export that follows the mix holds of the stream."""
    return [
        ExportedPart(step.id, found.rows, found.share)
        for step in opened.steps
        if step.facts.export and (found := step.facts.export.shares.get(stream))
    ]
