"""Running a filter on rows in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sftrecipe import Context, Filter, Verdict
from sftrecipe.testing import RowList


def judged(plugin: Filter, rows: RowList, context: Context) -> list[Verdict]:
    """All verdicts."""
    verdicts = plugin.judge(rows, context)
    if not isinstance(verdicts, AsyncIterator):
        return [*verdicts]

    async def all_of() -> list[Verdict]:
        return [verdict async for verdict in verdicts]

    return asyncio.run(all_of())
