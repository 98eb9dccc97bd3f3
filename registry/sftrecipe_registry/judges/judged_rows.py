"""Judging every row, and counting apart those that could not be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.plugin import (
    CallFailed,
    Context,
    PluginRefused,
    Record,
    Reply,
    Rows,
    Texts,
)
from sftrecipe_registry.judges.confidence_interval import Estimate, share_estimate

texts = Texts(__package__)

_SHOWN = 300
"""Characters of a reason's detail."""


class NotJudged(Exception):
    """A row that cannot be judged, and why."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        replies: Sequence[Reply | CallFailed] = (),
        columns: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.replies = replies
        self.columns = columns or {}
        """What is known of it beside the row's own columns."""


class JudgedRow(NamedTuple):
    """A row with what was found of it."""

    row: Record
    parts: Mapping[str, tuple[float, float]]
    """Amount and weight that it adds to each figure; none where it could not be judged."""
    invalid: str = ""
    """Why it could not be judged."""


async def judged_rows(
    judge_row: Callable[[Record], Awaitable[JudgedRow]], rows: Rows, ctx: Context
) -> list[JudgedRow]:
    """Every row, judged or not, in order. Raises PluginRefused where none could be judged."""

    async def caught(row: Record) -> JudgedRow:
        try:
            return await judge_row(row)
        except NotJudged as lost:
            return _invalid(row, lost, ctx)
        except CallFailed as failure:
            asked = NotJudged(failure.reason, failure.message, replies=[failure])
            return _invalid(row, asked, ctx)

    judged = []
    async for _, found in ctx.map(caught, rows):
        if not isinstance(found, CallFailed):
            judged.append(found)
        ctx.progress(len(judged))
    if all(each.invalid for each in judged):
        raise PluginRefused(_none_judged_text(judged, ctx))
    return judged


def invalid_counts(judged: Sequence[JudgedRow]) -> dict[str, int]:
    """How many could not be judged, by reason, the most frequent first."""
    return dict(Counter(each.invalid for each in judged if each.invalid).most_common())


INVALID_SHARE = "invalid_share"
"""The share of the rows that could not be judged."""
INVALID_LIMIT: Mapping[str, float] = {INVALID_SHARE: 0.1}
"""Above it what is left may be other rows than were asked for: the easy ones, the short ones."""


def invalid_share(judged: Sequence[JudgedRow]) -> dict[str, Estimate]:
    """That share, by its name."""
    lost = sum(bool(each.invalid) for each in judged)
    return {INVALID_SHARE: share_estimate(lost, len(judged))}


def figure_parts(judged: Sequence[JudgedRow], name: str) -> list[tuple[float, float]]:
    """What each row that could be judged adds to a figure."""
    return [each.parts.get(name, (0.0, 0.0)) for each in judged if not each.invalid]


def _invalid(row: Record, lost: NotJudged, ctx: Context) -> JudgedRow:
    tags = {**row.tags, "invalid": lost.reason}
    if lost.detail:
        tags["invalid_detail"] = lost.detail[:_SHOWN]
    columns = {**row.columns, **lost.columns}
    made = ctx.row(columns, parents=[row], replies=lost.replies, tags=tags)
    return JudgedRow(made, {}, lost.reason)


def _none_judged_text(judged: Sequence[JudgedRow], ctx: Context) -> str:
    if not judged:
        return texts("no-rows", step=ctx.step)
    reasons = ", ".join(f"{count} {reason}" for reason, count in invalid_counts(judged).items())
    values = {"step": ctx.step, "count": len(judged), "reasons": reasons}
    if detail := judged[0].row.tags.get("invalid_detail", ""):
        return texts("none-judged-first", **values, detail=detail)
    return texts("none-judged", **values)
