"""For the tests of plugins: rows in memory, and a model that answers what the test says."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from sftrecipe.plugin.asked_model import Model, Reply
from sftrecipe.plugin.prompts.prompt import own_files
from sftrecipe.plugin.provider import Answer, Request
from sftrecipe.plugin.row_views import RowsInMemory
from sftrecipe.record import new_record, record_id

__all__ = ["FakeModel", "RowList", "own_files", "plain_files"]


def plain_files(folder: Path) -> Callable[[str], IO[bytes]]:
    """The `create` of exporters and trainers: opens files of the folder for writing."""
    return lambda name: (folder / name).open("wb")


class RowList(RowsInMemory):
    """Rows in memory, from their columns."""

    @classmethod
    def of(cls, *columns: Mapping[str, Any], stream: str = "rows") -> RowList:
        """A stream's rows from their columns."""
        return cls(
            new_record(stream, each, origin=f"{stream}:{at}") for at, each in enumerate(columns, 1)
        )


class FakeModel(Model):
    """Answers every request with what a function makes of it, after a shuffled delay.

    The function gives the reply's text or an Answer, or raises CallFailed. Replies come in another
    order with every `seed`: what a plugin makes of them must not.
    """

    def __init__(
        self, answer: Callable[[Request], str | Answer], *, seed: int = 0, delay: float = 0.002
    ) -> None:
        self.requests: list[Request] = []
        """What was asked, in order."""
        self.most_in_flight = 0
        self._answer = answer
        self._random = random.Random(seed)  # noqa: S311 - delays, not secrets
        self._delay = delay
        self._in_flight = 0

    async def send(self, request: Request) -> Reply:
        """What the function makes of the request."""
        import asyncio  # noqa: PLC0415 - 60 ms, as everywhere

        self.requests.append(request)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self._random.random() * self._delay)
            made = self._answer(request)
        finally:
            self._in_flight -= 1
        answer = Answer(made) if isinstance(made, str) else made
        key = record_id("call", {"request": repr(request)})
        return Reply(
            answer.text,
            key,
            answer.finish_reason,
            answer.logprobs,
            answer.vector,
            reasoning=answer.reasoning,
            tool_calls=answer.tool_calls,
        )
