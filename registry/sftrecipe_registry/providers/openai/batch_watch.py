"""One batch under way: wait until it has ended, and hand its replies out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sftrecipe.plugin import CallFailed, SftrecipeError, Texts
from sftrecipe_registry.providers.openai.batch_api import (
    ENDED,
    Batch,
    BatchApi,
    may_pass,
    patiently,
)

texts = Texts(__package__)
QUIET = 1.0
"""Seconds without a further request after which all that belong together are taken to be here."""
_GROWTH, _MOST_GROWN = 1.3, 20.0
"""Of the time between two looks."""
_LOST = 5
"""Looks in a row that do not find the batch before it is given up: a new one may show late."""

Line = Mapping[str, Any]
"""A line of a batch's output or error file."""


class Ended(NamedTuple):
    """What a batch has for one of its requests."""

    token: str
    found: Line | CallFailed | SftrecipeError


@dataclass(eq=False)
class UnderWay:
    """A batch, and who waits for its replies."""

    token: str
    api: BatchApi
    tell: Callable[[str], None]
    poll: float
    """Seconds between the first two looks."""
    name: str = ""
    """The server's name of it; empty while it is gathered and created."""
    waiting: dict[str, asyncio.Future[Ended]] = field(default_factory=dict)
    """By the id of the request; more may come at any time."""

    async def watch(self) -> None:
        """Wait for the end of the batch, then until everybody has the reply. Raises CallFailed."""
        batch = await self._ended()
        while self.waiting:
            size = 0
            while size < len(self.waiting):
                size = len(self.waiting)
                await asyncio.sleep(QUIET)
            wanted = list(self.waiting)
            await self._hand_out(batch)
            for request in wanted:
                self._settle(request, unanswered(batch))

    def fail(self, error: Exception) -> None:
        """Tell everybody who waits."""
        for reply in self.waiting.values():
            reply.set_exception(error)
            reply.exception()  # nobody may be waiting any more
        self.waiting.clear()

    async def _ended(self) -> Batch:
        pause, lost, told = self.poll, 0, ""
        while lost < _LOST:
            seen = await self._seen()
            lost = lost + 1 if isinstance(seen, CallFailed) and seen.status == 404 else 0
            text = f"no news ({seen.message})" if isinstance(seen, CallFailed) else _progress(seen)
            if text != told:
                told = text
                self.tell(f"batch {self.name}: {text}")
            if isinstance(seen, Batch) and seen.status in ENDED:
                return seen
            await asyncio.sleep(pause)
            pause = min(_GROWTH * pause, _MOST_GROWN * self.poll)
        return Batch(self.name, "lost")

    async def _seen(self) -> Batch | CallFailed:
        """One look: the batch, or why there is no news of it. Raises what no later look cures."""
        try:
            return await self.api.look(self.name)
        except CallFailed as failure:
            if failure.status == 404 or may_pass(failure):
                return failure
            raise

    async def _hand_out(self, batch: Batch) -> None:
        async def attempt() -> None:
            for file in batch.files:
                async for line in self.api.lines(file):
                    # Those without a response were not reached when the batch was stopped.
                    if line.get("response") or batch.status == "completed":
                        self._settle(line["custom_id"], line)

        try:
            await patiently(attempt)
        except CallFailed as failure:
            if failure.status != 404:  # the files are deleted after a month
                raise

    def _settle(self, request: str, found: Line | CallFailed | SftrecipeError) -> None:
        reply = self.waiting.pop(request, None)
        if reply is not None:
            reply.set_result(Ended(self.token, found))


def unanswered(batch: Batch) -> CallFailed | SftrecipeError:
    """Why a batch that has ended holds no reply to a request."""
    if batch.status == "failed":
        said = "; ".join(batch.errors[:3]) or texts("no-reason-given")
        return SftrecipeError("batch-failed", "batch-failed", batch=batch.id, error=said)
    if batch.status == "cancelled":
        return SftrecipeError("batch-cancelled", "batch-cancelled", batch=batch.id)
    slug = {"expired": "batch-expired", "lost": "batch-unknown"}.get(batch.status, "left-out")
    return CallFailed("retry", texts(slug, batch=batch.id))


def _progress(batch: Batch) -> str:
    failed = f", {batch.failed} failed" if batch.failed else ""
    return f"{batch.status}, {batch.completed} of {batch.total} requests done{failed}"
