"""A recursive tree of calls for each row: AugCon's context-split-tree."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt

from sftrecipe import CallFailed, Context, Record, Reject, Reply, RowGenerator
from sftrecipe.plugin import ColumnName, Sampling

_REPLY = re.compile(r"Question: (.+)\nContext 1: (.+)\nContext 2: (.+)")


class SplitTree(RowGenerator, Sampling):
    """A question for a context, then the same for each of its halves, down to small ones."""

    needs = frozenset({"complete"})

    column: ColumnName = "text"
    """The column that holds the context."""
    smallest: Annotated[int, Gt(0)] = 20
    """Contexts of so many characters are not asked about."""
    depth: Annotated[int, Gt(0)] = 6
    """Levels of the tree at most."""
    attempts: Annotated[int, Gt(0)] = 4
    """Calls for a node before it is given up."""

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        return await self._node(row.text(self.column), 0, row, ctx)

    async def _node(
        self, text: str, level: int, row: Record, ctx: Context
    ) -> list[Record | Reject]:
        if len(text) <= self.smallest or level >= self.depth:
            return []
        try:
            replies, parts = await self._split(text, ctx)
        except CallFailed as failure:
            return [ctx.reject({"context": text}, failure.reason, failure.message, parents=[row])]
        if parts is None:
            return [ctx.reject({"context": text}, "not_split", parents=[row], replies=replies)]
        question, *halves = parts
        columns = {"instruction": question, "context": text}
        node = ctx.row(columns, parents=[row], replies=replies[-1:], tags={"level": str(level)})
        if max(map(len, halves)) >= len(text):
            return [node]
        below = await asyncio.gather(*(self._node(half, level + 1, row, ctx) for half in halves))
        return [node, *below[0], *below[1]]

    async def _split(self, text: str, ctx: Context) -> tuple[list[Reply], list[str] | None]:
        replies: list[Reply] = []
        for attempt in range(self.attempts):
            reply = await ctx.model.complete(text, sample=attempt, sampling=self.sampling())
            replies.append(reply)
            found = _REPLY.search(reply.text)
            if found:
                return replies, list(found.groups())
        return replies, None
