"""Working on many items at the same time, with the results in the items' order."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

Item = TypeVar("Item")
Result = TypeVar("Result")
_HELD = 8192
"""Items whose results may wait for a slow one before them, where no more than that are at work."""


async def in_order(
    function: Callable[[Item], Awaitable[Result]], items: Iterable[Item], most: int
) -> AsyncIterator[tuple[Item, Result]]:
    """Every item with its result, `most` at work at the same time.

    A slow item holds up the results after it, but not the work on them. What `function` raises is
    raised at the item's turn; then, and when the caller goes away, the others are cancelled.
    """
    import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

    waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
    held = max(_HELD, most)
    working = 0
    somebody_ended = asyncio.Event()

    def ended(_: object) -> None:
        nonlocal working
        working -= 1
        somebody_ended.set()

    try:
        for item in items:
            while working >= most or len(waiting) >= held:
                if waiting[0][1].done():
                    first, task = waiting.popleft()
                    yield first, task.result()
                else:
                    somebody_ended.clear()
                    await somebody_ended.wait()
            task = asyncio.ensure_future(function(item))
            working += 1
            task.add_done_callback(ended)
            waiting.append((item, task))
        while waiting:
            first, task = waiting.popleft()
            yield first, await task
    finally:
        for _, task in waiting:
            task.cancel()
